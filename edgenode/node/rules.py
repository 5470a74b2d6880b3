"""The exchange rules of a server, as the configuration of a cohort has them."""

import logging

from edgenode.config import CohortConfig, EventRule, KafkaCohortConfig
from edgenode.events.exchange import ExchangeRule, ExchangeRules
from edgenode.node.servers import OpenServer

logger = logging.getLogger(__name__)


def exchange_rules(
    settings: CohortConfig | KafkaCohortConfig, server: OpenServer
) -> ExchangeRules:
    """What a server sends, looks at and keeps in a cohort."""
    return ExchangeRules(
        send=_rule(settings.events_to_send, server),
        process=_rule(settings.events_to_process, server),
        save=_rule(settings.events_to_save, server),
    )


def _rule(rule: EventRule, server: OpenServer) -> ExchangeRule:
    guids = set()
    for name in rule.types:
        known = server.types.type_def(name)
        if known is None or known.guid is None:
            logger.warning("%s is no type; the rule goes without it", name)
        else:
            guids.add(known.guid)
    return ExchangeRule(rule.rule, frozenset(guids))
