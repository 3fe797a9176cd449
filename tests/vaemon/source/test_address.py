"""Addresses of runs on other machines, and what is no address."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.errors import UsageError
from vaemon.source.far.address import FarAddress, Place


@pytest.mark.parametrize(
    ("address", "host", "port", "path"),
    [
        ("gpu1:run42", "gpu1", None, "run42"),
        ("gpu1:", "gpu1", None, ""),
        ("gpu1:*", "gpu1", None, "*"),
        ("gpu1:runs/cifar-*", "gpu1", None, "runs/cifar-*"),
        ("ann@gpu1:run42", "ann@gpu1", None, "run42"),
        ("ann@corp@gpu1:run42", "ann@corp@gpu1", None, "run42"),
        ("ann@gpu1.lab.org:/data/runs/run42", "ann@gpu1.lab.org", None, "/data/runs/run42"),
        ("gpu1:~/runs/run42", "gpu1", None, "~/runs/run42"),
        ("gpu1:./-x", "gpu1", None, "./-x"),
        ("gpu1:a:b", "gpu1", None, "a:b"),
        ("gpu1:a b'c\"$(d);e", "gpu1", None, "a b'c\"$(d);e"),
        ("GPU1:run42", "GPU1", None, "run42"),
        ("10.0.0.7:run42", "10.0.0.7", None, "run42"),
        ("[::1]:run42", "::1", None, "run42"),
        ("ann@[fe80::1%eth0]:a/b", "ann@fe80::1%eth0", None, "a/b"),
        ("[2001:db8::7]:", "2001:db8::7", None, ""),
        ("ssh://gpu1", "gpu1", None, ""),
        ("ssh://gpu1/", "gpu1", None, ""),
        ("ssh://gpu1:2222", "gpu1", 2222, ""),
        ("ssh://gpu1:/run42", "gpu1", None, "run42"),
        ("ssh://GPU1/run42", "GPU1", None, "run42"),
        ("ssh://gpu1/run42/", "gpu1", None, "run42"),
        ("ssh://ann@gpu1:2222/run42", "ann@gpu1", 2222, "run42"),
        ("ssh://ann@gpu1:2222/data/run42", "ann@gpu1", 2222, "/data/run42"),
        ("ssh://ann%40corp@gpu1/run42", "ann@corp@gpu1", None, "run42"),
        ("ssh://gpu1//run42", "gpu1", None, "/run42"),
        ("ssh://gpu1/~/runs/run42", "gpu1", None, "runs/run42"),
        ("ssh://gpu1/~/run42", "gpu1", None, "~/run42"),
        ("ssh://gpu1/my%20run%3f", "gpu1", None, "my run?"),
        ("ssh://[::1]:2222/run42", "::1", 2222, "run42"),
        ("ssh://ann@[fe80::1%25eth0]/run42", "ann@fe80::1%eth0", None, "run42"),
    ],
)
def test_an_address_of_another_machine(address, host, port, path):
    assert FarAddress.parse(address) == FarAddress(Place(host, port), path)


@pytest.mark.parametrize(
    "address", ["run42", "runs/run42", "./a:b", "/a:b", "../a:b", "~/a:b", "a/b:c", "latest", "*", "", "-x", "--"]
)
def test_an_address_of_this_machine(address):
    assert FarAddress.parse(address) is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("-oProxyCommand=x:run", "begins with '-': '-oProxyCommand=x'"),
        ("--:run", "begins with '-'"),
        ("-:run", "begins with '-'"),
        ("ann@-oProxyCommand=x:run", "begins with '-'"),
        ("-lroot@gpu1:run", "begins with '-'"),
        ("gpu1:-x", "begins with '-'"),
        ("gpu1:--", "begins with '-'"),
        ("ssh://-oProxyCommand=x/run", "begins with '-'"),
        ("ssh://-l@gpu1/run", "begins with '-'"),
        ("ssh://%2doProxyCommand=x@gpu1/run", "begins with '-'"),
        ("ssh://gpu1/-x", "begins with '-'"),
        ("ssh://gpu1/%2dx", "begins with '-'"),
        ("ssh://gpu1/~/-x/y", "begins with '-'"),
        (":run", "the host of ':run' is none"),
        ("@gpu1:run", "is none"),
        ("ann@:run", "is none"),
        ("ann@[]:run", "is none"),
        ("[::1:run", "is none"),
        ("[::1]/x", "is none"),
        ("gpu1 x:run", "is none"),
        ("gpu1\n:run", "is none"),
        ("$(reboot):run", "is none"),
        ("`reboot`@gpu1:run", "is none"),
        ("a;b:run", "is none"),
        ("a|b@gpu1:run", "is none"),
        ("gpu1\u2003:run", "is none"),
        ("gpu1:ru\nn", "cannot be seen"),
        ("gpu1:\x1b[2J", "cannot be seen"),
        ("gpu1:-\x1b[2J", "cannot be seen"),
        ("ssh://gpu1/ru\nn", "cannot be seen"),
        ("ssh://gpu1/ru%0an", "cannot be seen"),
        ("ssh://gpu1\n/run", "is none"),
        ("ssh://", "is none"),
        ("ssh:///run", "is none"),
        ("ssh://@gpu1/run", "is none"),
        ("ssh://a%20b@gpu1/run", "is none"),
        ("ssh://a%3bb@gpu1/run", "is none"),
        ("ssh://[::1/run", "is no address"),
        ("ssh://[::1]x/run", "is no address"),
        ("ssh://gpu1:22x/run", "is no address"),
        ("ssh://gpu1:-1/run", "is no address"),
        ("ssh://gpu1:0/run", "has no port that can be"),
        ("ssh://gpu1:65536/run", "has no port that can be"),
        ("ssh://gpu1:" + "9" * 6000 + "/run", "has no port that can be"),
        ("ssh://ann:secret@gpu1/run", "a password in an address"),
        ("ssh://gpu1/run?x=1", "has a '?' or '#'"),
        ("ssh://gpu1/run#x", "has a '?' or '#'"),
    ],
)
def test_what_is_no_address(address, told):
    with pytest.raises(UsageError) as caught:
        FarAddress.parse(address)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=12) | st.text("ssh:/[]@-.%~?a1", max_size=16).map("ssh://".__add__))
def test_any_text_is_an_address_or_refused(text):
    found, told = None, ""
    try:
        found = FarAddress.parse(text)
    except UsageError as error:
        told = str(error)
    assert told.isprintable()
    if found is not None:
        user, _, host = found.place.host.rpartition("@")
        assert host
        assert not any(each.startswith("-") for each in (user, host, found.path))


WORD = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.=+%~-]{0,8}", fullmatch=True)
HOSTS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True) | st.sampled_from(
    ["::1", "2001:db8::7", "fe80::1%eth0", "fe80::1%ed0", "10.0.0.7"]
)
USERS = st.just("") | st.lists(WORD, min_size=1, max_size=2).map("@".join).map(lambda user: f"{user}@")
PLACES = st.builds(Place, st.builds(str.__add__, USERS, HOSTS), st.none() | st.integers(1, 65535))
PATHS = st.text(st.characters(exclude_categories=["Cc"]), max_size=12).filter(
    lambda path: not path.startswith(("-", "//")) and path.isprintable()
) | st.builds(
    "".join, st.lists(st.sampled_from(["/", "a", "~", "%2f", "?", "#", ".", " ", ":", "\udcff", "é"]), max_size=6)
).filter(lambda path: not path.startswith("//"))


@settings(max_examples=80, deadline=None)
@given(PLACES, PATHS)
def test_the_address_of_a_run_leads_to_it_again(place, path):
    address = FarAddress.parse(place.address(path))
    # `~/a/b` and `a/b` are the same path there; a URL has but one way to say it.
    meant = path.removeprefix("~/") if place.port is not None and "/" in path.removeprefix("~/") else path
    assert address is not None
    assert (address.place, address.path) in {(place, path), (place, meant)}


def test_the_folder_of_a_run_is_the_place_to_look_for_more():
    folders = {"run42": "", "a/run42": "a", "/data/run42": "/data", "~/run42": "~", "": ""}
    assert {path: FarAddress(Place("gpu1"), path).folder for path in folders} == folders
