"""What a worker is given and gives back: packet, prompt, report, question and answer."""
