"""Matchers in Alertmanager's form: `name="value"`, `!=`, `=~`, `!~`; regular expressions match whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.core.settings import ConfigError

_FORM = re.compile(
    r"""\s*("?)(?P<name>[^"=!~{}]+?)\1\s*(?P<op>=~|!~|!=|=)\s*("?)(?P<value>.*?)\4\s*"""
)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a missing label counts as empty."""

    name: str
    op: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether *labels* meet the condition."""
        value = labels.get(self.name, "")
        if self.op in ("=", "!="):
            return (value == self.value) is (self.op == "=")
        return (re.fullmatch(self.value, value) is not None) is (self.op == "=~")


def parse(text: str, key: str) -> Matcher:
    """Read one matcher.

    Args:
        text: As in `alertname="Watchdog"`.
        key: The setting it stands in, for the error.

    Raises:
        ConfigError: *text* is not a matcher.
    """
    match = _FORM.fullmatch(text)
    expected = 'a matcher such as alertname="Watchdog"'
    if match is None or not match["name"].strip():
        raise ConfigError(f"{key}: got {text!r}, expected {expected}")
    matcher = Matcher(match["name"].strip(), match["op"], match["value"])
    if "~" in matcher.op:
        try:
            re.compile(matcher.value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ConfigError(f"{key}: got {text!r}, not a regular expression: {error}") from error
    return matcher
