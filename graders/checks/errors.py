"""What ends a check without a verdict on the submission."""


class ChallengeError(Exception):
    """The check asked for something that does not exist: the challenge's own failure."""


class Unmeasured(Exception):
    """The check asked for something that this host does not tell, of whatever submission."""
