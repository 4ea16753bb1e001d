"""Which addresses may be written to, and in which forms."""

import pytest

from server.gateways.address import check_address, is_allowed, place


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.clinic.example/afterglow?key=1",
        "https://HOOKS.clinic.example.:8443",
        "https://93.184.215.14/",
        "https://[2606:4700::1111]/x",
        "https://xn--bcher-kva.example/",
    ],
)
def test_an_https_address_on_the_internet_is_fine(url: str) -> None:
    check_address(url)


def test_an_address_is_taken_apart_as_it_will_be_called() -> None:
    where = place("https://Hooks.Clinic.Example.:8443?a=1")
    assert (where.scheme, where.host, where.port, where.path) == (
        "https",
        "hooks.clinic.example",
        8443,
        "/?a=1",
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.clinic.example/", "must start with https://"),
        ("http://127.0.0.1/", "private network"),
        ("ftp://hooks.clinic.example/", "must look like"),
        ("https:///path", "must look like"),
        ("nonsense", "must look like"),
        ("https://someone:secret@hooks.example/", "no user name"),
        ("https://hooks.example@127.0.0.1/", "no user name"),
        ("https://hooks.example/#part", "fragment"),
        ("https://hooks.example/a b", "plain ASCII"),
        ("https://hooks.example\\@127.0.0.1/", "plain ASCII"),
        ("https://hooks.example\n.evil.example/", "plain ASCII"),
        ("https://bücher.example/", "plain ASCII"),
        ("https://exa%6dple/", "name a host"),
        ("https://2130706433/", "unusual form"),
        ("https://0x7f000001/", "unusual form"),
        ("https://0x7f.1/", "unusual form"),
        ("https://127.1/", "unusual form"),
        ("https://0177.0.0.1/", "unusual form"),
        ("https://127.0.0.1/", "private network"),
        ("https://localhost/", "private network"),
        ("https://a.localhost./", "private network"),
        ("https://10.0.0.8/", "private network"),
        ("https://169.254.169.254/latest/meta-data/", "private network"),
        ("https://100.64.0.1/", "private network"),
        ("https://0.0.0.0/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://[::ffff:127.0.0.1]/", "private network"),
        ("https://[::ffff:a00:1]/", "private network"),
        ("https://[fe80::1]/", "private network"),
    ],
)
def test_anything_else_is_refused_with_a_reason_and_without_repeating_it(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        check_address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://hooks.example:99999/", "https://hooks.example:x/", "https://[::1/"])
def test_a_port_or_bracket_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        check_address(url)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1"),
        *("192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1"),
        *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "fc00::1", "fd00::1"),
        *("fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1"),
    ],
)
def test_an_address_that_is_not_anybodys_on_the_internet_is_not_allowed(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_an_address_on_the_internet_is_allowed(address: str) -> None:
    assert is_allowed(address)


def test_this_machine_may_be_reached_only_where_that_is_set() -> None:
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert is_allowed(address, allow_loopback=True)
    assert not is_allowed("10.0.0.1", allow_loopback=True)
    check_address("http://localhost:8000/x", allow_loopback=True)
    check_address("http://127.0.0.1:8000/x", allow_loopback=True)
    with pytest.raises(ValueError, match="must start with https"):
        check_address("http://hooks.example/", allow_loopback=True)
    with pytest.raises(ValueError, match="private network"):
        check_address("https://10.0.0.1/", allow_loopback=True)
