"""How a member logs in to brokers."""

import pytest

from edgenode.bus.kafka.session import Scram


@pytest.mark.parametrize("iterations", [1, 4_095, 2**31 - 1])
def test_nobody_is_told_a_password_that_is_hashed_too_seldom_or_for_hours(
    iterations: int,
) -> None:
    scram = Scram(  # type: ignore[no-untyped-call]
        loop=None,
        sasl_plain_username="pi",
        sasl_plain_password="secret",  # noqa: S106 - it is nobody's
        sasl_mechanism="SCRAM-SHA-512",
    )
    nonce = scram.first_message().rpartition("=")[2]  # type: ignore[no-untyped-call]
    told = f"r={nonce}hub,s=c2FsdA==,i={iterations}"
    with pytest.raises(ValueError, match=f"{iterations} iterations"):
        scram.process_server_first_message(told)  # type: ignore[no-untyped-call]
    usual = told.rpartition("=")[0] + "=4096"
    scram.process_server_first_message(usual)  # type: ignore[no-untyped-call]
    assert "secret" not in scram.final_message()  # type: ignore[no-untyped-call]
