"""The figures of a server in its cohort, and of its node."""

from collections import Counter
from typing import TYPE_CHECKING

from edgenode.cohort.member import CohortMember
from edgenode.cohort.node import CohortNode
from edgenode.cohort.peers import PeerState
from edgenode.federation.members import FederationMembers
from edgenode.observability.metrics import Metric
from edgenode.security.trust import Refusals, Trust

if TYPE_CHECKING:
    from edgenode.kafka_cohort.member import KafkaCohortMember


def member_metrics(server: str, member: CohortMember) -> tuple[Metric, ...]:
    """What a server has to do with each of the other members."""
    followers = member.followers().items()

    def of_follower(name: str, kind: str, text: str, figure: str) -> Metric:
        samples = tuple(
            (
                {"server": server, "member": origin},
                float(getattr(follower.figures, figure)),
            )
            for origin, follower in followers
        )
        return Metric(f"edgenode_cohort_{name}", kind, text, samples)

    lag = tuple(
        ({"server": server, "member": origin}, float(follower.lag))
        for origin, follower in followers
    )
    outcomes = tuple(
        ({"server": server, "outcome": outcome.name.lower()}, float(count))
        for outcome, count in member.outcomes.items()
    )
    return (
        Metric("edgenode_cohort_lag", "gauge", "Events still to be applied.", lag),
        Metric("edgenode_cohort_events_total", "counter", "Events taken in.", outcomes),
        of_follower("gaps_total", "counter", "Gaps that were noticed.", "gaps"),
        of_follower(
            "fetched_events_total",
            "counter",
            "Events fetched from their origin.",
            "fetched_events",
        ),
        of_follower(
            "comparisons_total", "counter", "Comparisons of digests.", "comparisons"
        ),
        of_follower(
            "copied_total", "counter", "Instances taken over at first.", "copied"
        ),
        of_follower(
            "mended_total", "counter", "Instances that were held otherwise.", "mended"
        ),
        of_follower(
            "failures_total", "counter", "Failures to reach an origin.", "failures"
        ),
    )


def federation_metrics(
    server: str, federation: FederationMembers
) -> tuple[Metric, ...]:
    """What came of a server's questions to the members of its cohorts."""
    asked = federation.statistics()

    def of_asked(name: str, kind: str, text: str, figure: str) -> Metric:
        samples = tuple(
            (
                {"server": server, "member": each.collection_id},
                float(getattr(each, figure)),
            )
            for each in asked
        )
        return Metric(f"edgenode_federation_{name}", kind, text, samples)

    return (
        of_asked("answered_total", "counter", "Questions answered.", "answered"),
        of_asked("failed_total", "counter", "Questions not answered.", "failed"),
        of_asked(
            "median_seconds", "gauge", "How long answers took lately.", "median_seconds"
        ),
    )


def kafka_metrics(member: "KafkaCohortMember") -> tuple[Metric, ...]:
    """A server in its cohort of platforms."""
    label, topics = {"server": member.name}, member.statistics()
    outcomes = tuple(
        ({**label, "outcome": outcome.name.lower()}, float(count))
        for outcome, count in member.outcomes.items()
    )
    is_connected = topics.connected_since is not None
    figures = (
        ("connected", "gauge", "Whether topics are read.", is_connected),
        ("members", "gauge", "Registered members.", len(member.remote)),
        ("spoken_for", "gauge", "Members spoken for.", len(member.spoken_for)),
        ("lag", "gauge", "Records not read yet.", topics.lag),
        ("backlog", "gauge", "Events not sent yet.", member.backlog),
        ("received_total", "counter", "Records read.", topics.received),
        ("received_bytes_total", "counter", "Their bytes.", topics.received_bytes),
        ("sent_total", "counter", "Events sent.", topics.sent),
        ("sent_bytes_total", "counter", "Their bytes.", topics.sent_bytes),
        ("dropped_total", "counter", "Records passed over.", topics.dropped),
        ("expired_total", "counter", "Records gone unread.", topics.expired),
        ("refused_total", "counter", "Events brokers refused.", topics.refused),
        ("reconnects_total", "counter", "Reconnections.", topics.reconnects),
    )
    return (
        *(
            Metric(f"edgenode_kafka_{name}", kind, text, ((label, float(value)),))
            for name, kind, text, value in figures
        ),
        Metric("edgenode_kafka_events_total", "counter", "Events taken in.", outcomes),
    )


def refusal_metrics(refusals: Refusals) -> Metric:
    """Who wasn't let in where platforms ask."""
    counts: Counter[str] = Counter()
    for (reason, _), count in refusals.counts().items():
        counts[reason.value] += count
    samples = tuple(
        ({"reason": reason}, float(count)) for reason, count in counts.items()
    )
    text = "Platforms that were refused."
    return Metric("edgenode_platform_refusals_total", "counter", text, samples)


def node_metrics(node: CohortNode, trust: Trust) -> tuple[Metric, ...]:
    """What the node has to do with the others.

    Args:
        node: The node.
        trust: Who was refused.
    """
    states = Counter(peer.state for peer in node.peers.all())
    peers = tuple(({"state": state.value}, float(states[state])) for state in PeerState)
    refusals: Counter[str] = Counter()
    for (reason, _), count in trust.refusals().items():
        refusals[reason.value] += count
    refused = tuple(
        ({"reason": reason}, float(count)) for reason, count in refusals.items()
    )
    families = [
        Metric("edgenode_cohort_nodes", "gauge", "Other nodes, by state.", peers),
        Metric("edgenode_refusals_total", "counter", "What was refused.", refused),
    ]
    bus = node.bus_statistics()
    if bus is not None:
        families += [
            Metric(f"edgenode_bus_{name}", kind, text, (({}, float(value)),))
            for name, kind, text, value in (
                ("received_total", "counter", "Messages received.", bus.received),
                ("sent_total", "counter", "Messages sent.", bus.sent),
                ("dropped_total", "counter", "Messages not sent.", bus.dropped),
                ("links", "gauge", "Brokers subscribed to.", bus.links),
                ("peers", "gauge", "Nodes at this node's broker.", bus.peers),
                ("reconnects_total", "counter", "Reconnections.", bus.reconnects),
            )
        ]
    return tuple(families)
