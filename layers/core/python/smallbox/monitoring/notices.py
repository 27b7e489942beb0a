"""What people are told of a new incident, and the port that tells them."""

from typing import Protocol

from smallbox.monitoring.incident import Incident


class Notices(Protocol):
    """Tells people something in words: by e-mail, or where else they subscribed."""

    def tell(self, subject: str, text: str) -> None:
        """Send a message; the subject is cut to 100 characters.

        Raises:
            Unavailable: when it was not accepted.
        """


def notice_of(incident: Incident) -> tuple[str, str]:
    """The subject and the text of the message that tells people of a new incident."""
    effect = "" if incident.effect is None else f"Expected rise of the mean loss: {incident.effect:.4g}\n"
    text = (
        f"{incident.sentence}\n\n{effect}Affected: {', '.join(incident.subjects)}\n\n"
        f"Its story: smallbox incidents {incident.model} {incident.id}\n"
        f"Acknowledge: smallbox incidents acknowledge {incident.id} --why TEXT\n"
    )
    return f"Smallbox: incident {incident.id}", text
