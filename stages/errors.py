"""What a person can put right: errors that are told in one clear message, without a traceback."""


class UserError(ValueError):
    """A fault in a file, a parameter, a model or the network; the message says where and what to do."""
