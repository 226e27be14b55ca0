"""Pictures of what ralphgit shows, for the README, of one scene."""
