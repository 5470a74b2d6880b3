"""Requests to a genuine platform, or to a node, which answers as one."""

import json
import urllib.error
import urllib.request
from typing import Any

from tests.egeria.harness.errors import EgeriaError

USER = "erin"
CALL_SECONDS = 120.0


def call(
    method: str, url: str, body: object = None, timeout: float = CALL_SECONDS
) -> Any:
    """What is answered, decoded; blocks until then.

    Args:
        method: Of HTTP.
        url: Where.
        body: What is sent, as JSON; bytes as they are.
        timeout: Seconds.

    Raises:
        EgeriaError: It was refused.
        OSError: Nobody answers.
    """
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310
        url,
        data=body,
        method=method,
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
            answer = json.loads(response.read() or b"{}")
    except urllib.error.HTTPError as error:
        text = f"{method} {url}: {error}"
        raise EgeriaError(error.code, "", text) from error
    _refuse(f"{method} {url}", answer)
    return answer


def _refuse(what: str, answer: Any) -> None:
    code = answer.get("relatedHTTPCode", 200) if isinstance(answer, dict) else 200
    if code != 200:
        text = answer.get("exceptionErrorMessage") or str(answer)
        message_id = answer.get("exceptionErrorMessageId") or text.partition(" ")[0]
        raise EgeriaError(code, message_id, f"{what}: {text}")
