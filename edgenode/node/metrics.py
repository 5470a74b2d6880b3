"""The figures of a server in its cohort, and of its node."""

from collections import Counter

from edgenode.cohort.member import CohortMember
from edgenode.cohort.node import CohortNode
from edgenode.cohort.peers import PeerState
from edgenode.federation.members import FederationMembers
from edgenode.observability.metrics import Metric
from edgenode.security.trust import Trust


def member_metrics(
    server: str, member: CohortMember, federation: FederationMembers
) -> tuple[Metric, ...]:
    """What a server has to do with each of the other members."""
    followers = member.followers().items()
    asked = federation.statistics()

    def of_follower(name: str, kind: str, text: str, figure: str) -> Metric:
        samples = tuple(
            (
                {"server": server, "member": origin},
                float(getattr(follower.figures, figure)),
            )
            for origin, follower in followers
        )
        return Metric(f"edgenode_cohort_{name}", kind, text, samples)

    def of_asked(name: str, kind: str, text: str, figure: str) -> Metric:
        samples = tuple(
            (
                {"server": server, "member": each.collection_id},
                float(getattr(each, figure)),
            )
            for each in asked
        )
        return Metric(f"edgenode_federation_{name}", kind, text, samples)

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
        of_asked("answered_total", "counter", "Questions answered.", "answered"),
        of_asked("failed_total", "counter", "Questions not answered.", "failed"),
        of_asked(
            "median_seconds", "gauge", "How long answers took lately.", "median_seconds"
        ),
    )


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
