# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds variables that are nearly called as those that would be read."""

from __future__ import annotations

DOCUMENTATION = r"""
name: misspelt
short_description: Find names that are nearly those of known variables
version_added: 0.1.0
author:
  - The mirai.backup authors (@mirai-knowledge-systems)
description:
  - Ansible ignores a variable that nobody reads. This finds those that somebody meant otherwise.
  - A name that is like none of the known ones is none of our business and is not returned.
options:
  _terms:
    description: The names of the known variables. What all of them begin with does not count when names are compared.
    type: list
    elements: str
    required: true
  among:
    description: The names to look at; by default those of the variables of the command line (C(-e)).
    type: list
    elements: str
"""

EXAMPLES = r"""
# ["tabel (table?)"] when called with -e tabel=public.knowledge
written: "{{ query('mirai.backup.misspelt', 'table', 'file') }}"
"""

RETURN = r"""
_raw:
  description: Each name that is misspelt, with the known one in parentheses.
  type: list
  elements: str
"""

import difflib
import os

from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars

_ALIKE = 0.8  # of difflib's ratio: one letter in five


class LookupModule(LookupBase):
    """What Ansible looks for."""

    def run(self, terms: list, variables: "dict | None" = None, **kwargs: object) -> list[str]:
        """The misspelt names, sorted."""
        self.set_options(var_options=variables, direct=kwargs)
        names = self.get_option("among")
        return misspelt(load_extra_vars(self._loader) if names is None else names, terms)


def misspelt(names: "list[str]", known: "list[str]") -> list[str]:
    """Those of ``names`` that are not ``known`` but nearly, each with the known one in parentheses, sorted."""
    start = len(os.path.commonprefix(list(known))) if len(known) > 1 else 0
    ends = {one[start:]: one for one in known}
    found = []
    for name in sorted(set(names) - set(known)):
        near = difflib.get_close_matches(name[start:], ends, 1, _ALIKE) if name[:start] == known[0][:start] else []
        found += [f"{name} ({ends[one]}?)" for one in near]
    return found
