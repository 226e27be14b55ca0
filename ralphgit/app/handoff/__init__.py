"""Exchange with workers: packet, prompt, report, question and answer."""
