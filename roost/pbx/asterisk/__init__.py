"""Asterisk: AMI, AstDB, and FastAGI."""
