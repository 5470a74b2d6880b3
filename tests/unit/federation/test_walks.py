"""Where walks of several members go on, and where there is nothing to be asked."""

from edgenode.federation.walks import Onward, Walk, onward
from edgenode.instances.lifecycle import entity_proxy
from edgenode.instances.model import EntityDetail
from edgenode.instances.provenance import Home
from edgenode.repository.base import Graph
from tests.model.house import CODEC, remote_entity, remote_relationship

ALDER, BIRCH, CEDAR = (Home(f"{name}-id", name) for name in ("alder", "birch", "cedar"))
MEMBERS = {home.id for home in (ALDER, BIRCH, CEDAR)}

ONE = remote_entity("one", home=ALDER)
TWO = remote_entity("two", home=BIRCH)
LAST = remote_entity("last", home=CEDAR)


def graph(*entities: EntityDetail, links: str = "") -> Graph:
    """A graph; links are pairs of names like ``one-two``."""
    named = {str(each.guid): each for each in (ONE, TWO, LAST)}
    relationships = []
    for link in links.split():
        one, two = [entity_proxy(named[end], frozenset()) for end in link.split("-")]
        made = remote_relationship(one, two, link)
        relationships.append(CODEC.document(made))
    return Graph([CODEC.document(each) for each in entities], relationships)


def test_all_that_found_the_same_know_no_more() -> None:
    same = graph(ONE, TWO, links="one-two")
    walks = [Walk(member, "one", 0, same) for member in sorted(MEMBERS)]
    assert onward(walks, "one", 2, MEMBERS) == []


def test_the_home_of_what_others_got_to_is_asked() -> None:
    walks = [Walk(ALDER.id, "one", 0, graph(ONE, links="one-two"))]
    assert onward(walks, "one", 2, MEMBERS) == [Onward("two", BIRCH.id, 1)]
    assert onward(walks, "one", 1, MEMBERS) == [Onward("two", BIRCH.id, 1)]
    assert onward(walks, "one", 0, MEMBERS) == []
    assert onward(walks, "one", 2, MEMBERS - {BIRCH.id}) == []


def test_who_went_on_is_not_asked_again_but_who_is_next() -> None:
    walks = [
        Walk(ALDER.id, "one", 0, graph(ONE, links="one-two")),
        Walk(BIRCH.id, "two", 1, graph(TWO, links="two-last")),
    ]
    assert onward(walks, "one", 2, MEMBERS) == [Onward("last", CEDAR.id, 2)]
    assert onward(walks, "one", 1, MEMBERS) == []


def test_a_home_that_came_a_longer_way_is_asked_from_nearer_by() -> None:
    walks = [
        Walk(ALDER.id, "one", 0, graph(ONE, TWO, LAST, links="one-last")),
        Walk(CEDAR.id, "one", 0, graph(ONE, TWO, LAST, links="one-two two-last")),
    ]
    found = onward(walks, "one", 2, {ALDER.id, CEDAR.id})
    assert found == [Onward("last", CEDAR.id, 1)]
