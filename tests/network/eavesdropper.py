"""Prints what is said by multicast DNS over IPv4, one JSON line a packet.

eavesdropper.py <address of the interface>
"""

import json
import socket
import sys

GROUP = "224.0.0.251"
PORT = 5353
ANSWER = 0x80
END_OF_NAME = b"\x05local\0"
ASKS_DIRECTLY = 0x8000


def asks_directly(packet: bytes) -> bool:
    """Whether its first question may be answered to the asker alone."""
    _, _, rest = packet.partition(END_OF_NAME)
    return bool(int.from_bytes(rest[2:4]) & ASKS_DIRECTLY)


def main(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        heard.bind((GROUP, PORT))
        membership = socket.inet_aton(GROUP) + socket.inet_aton(address)
        heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        said: dict[str, object] = {"started": True}
        while True:
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
            packet, sender = heard.recvfrom(65536)
            answers = bool(packet[2] & ANSWER)
            directly = not answers and asks_directly(packet)
            said = {"from": sender[0], "answers": answers, "directly": directly}


if __name__ == "__main__":
    main(*sys.argv[1:])
