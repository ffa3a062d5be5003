"""Markets that come with ``rtb_catalogue``."""
