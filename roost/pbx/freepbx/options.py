"""What a node of this kind is told besides how to log in."""

from __future__ import annotations

from roost.pbx.ami.options import AmiOptions


class FreepbxOptions(AmiOptions):
    """How to log in to its Asterisk Manager: nothing else."""
