"""Programs that are not ours: started with consent, bounded in time, and gone with us."""
