from vaemon.latents import LatentState
from vaemon.view.signs import to_ascii
from vaemon.view.status import SIGNS
from vaemon.watch.render.glyphs import STATE


def test_every_state_has_its_own_sign_even_in_ascii():
    assert set(STATE) == set(LatentState)
    assert len({to_ascii(sign) for sign in STATE.values()}) == len(LatentState)
    assert "?" not in {to_ascii(sign) for sign in (*STATE.values(), *set(SIGNS.values()) - {SIGNS["link lost"]})}
