from hypothesis import given
from hypothesis import strategies as st

from vaemon.view.signs import safe, to_ascii


@given(st.text())
def test_ascii_is_ascii_and_as_long(text):
    assert to_ascii(text).isascii()
    assert len(to_ascii(text)) == len(text)


@given(st.text(alphabet=st.characters(codec=None, categories=["Cc", "Cs", "Cf", "L"])))
def test_what_is_safe_can_be_written_and_controls_nothing(text):
    said = safe(text)
    assert len(said) == len(text)
    said.encode()
    assert not any(ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0 for sign in said)
