"""Calls on areas, stations and the places of meters, and on when they are polled; part of `Selling`."""

from typing import Any

from prewatt.host.host import Host
from prewatt.host.topology import AREA_DEFAULT

__all__ = ["SellingPlaces"]

Json = dict[str, Any]


class SellingPlaces:
    """See `prewatt.apps.selling.Selling`."""

    _host: Host

    def read_areas(self) -> list[Json]:
        """Every area server, with the coverage of what stands below it."""
        return [each.as_dict() for each in self._host.topology.read_areas()]

    def add_area(self, area: str, number: int | None = None, name: str = "") -> Json:
        """Adds an area server; without a number it gets the lowest free one."""
        return self._host.topology.add_area(area, number=number, name=name).as_dict()

    def rename_area(self, area: str, name: str) -> Json:
        """Gives an area another name; its id stays."""
        return self._host.topology.rename_area(area, name).as_dict()

    def read_stations(self, area: str | None = None) -> list[Json]:
        """Every local station, or those of one area, with their coverage and health."""
        return [each.as_dict() for each in self._host.topology.read_stations(area=area)]

    def read_station(self, station: str) -> Json:
        """One local station."""
        return self._host.topology.read_station(station).as_dict()

    def add_station(
        self,
        station: str,
        area: str = AREA_DEFAULT,
        number: int | None = None,
        name: str = "",
        line: str = "",
        rating_kva: str = "",
    ) -> Json:
        """Adds a local station below an area, which is added where it is new."""
        given = {"name": name, "line": line, "rating_kva": rating_kva}
        return self._host.topology.add_station(station, area, number=number, **given).as_dict()

    def rename_station(self, station: str, name: str) -> Json:
        """Gives a station another name; its id stays."""
        return self._host.topology.rename_station(station, name).as_dict()

    def set_station_line(self, station: str, line: str) -> Json:
        """Says what kind of line a station has; empty: one that costs no time."""
        return self._host.topology.set_line(station, line).as_dict()

    def set_station_rating(self, station: str, rating_kva: str) -> Json:
        """Says what a station's transformer may carry; empty: not known."""
        return self._host.topology.set_rating(station, rating_kva).as_dict()

    def read_coverage(self, station: str) -> Json:
        """How many meters of a station were read today, and which were not."""
        return self._host.polling.coverage(station).as_dict()

    def read_unbooked(self, station: str) -> list[Json]:
        """What meters said through a station and could not be booked, oldest first."""
        return [each.as_dict() for each in self._host.unbooked.read(station)]

    def book_again(self, station: str) -> list[Json]:
        """Tries to book each of it once more; gives what is left."""
        return [each.as_dict() for each in self._host.unbooked.book_again(station)]

    def forget_unbooked(self, station: str, reason: str) -> list[Json]:
        """Throws it away for good; gives what that was."""
        return [each.as_dict() for each in self._host.unbooked.forget(station, reason)]

    def read_total_coverage(self) -> Json:
        """How many meters of the installation were read today."""
        return self._host.polling.total().as_dict()

    def read_polling(self) -> Json:
        """When meters are polled, for the installation."""
        return self._host.polling.read().as_dict()

    def change_polling(
        self, schedule: str | None = None, hours: str | None = None, per_minute: int | None = None
    ) -> Json:
        """Changes when meters are polled, for the installation; what is left out stays."""
        return self._host.polling.change(schedule=schedule, hours=hours, per_minute=per_minute).as_dict()

    def read_station_polling(self, station: str) -> Json:
        """When the meters of a station are polled, and which of it the station has of its own."""
        return self._host.polling.read(station).as_dict()

    def change_station_polling(
        self, station: str, schedule: str | None = None, hours: str | None = None, per_minute: int | None = None
    ) -> Json:
        """Changes when the meters of a station are polled; what is left out stays."""
        return self._host.polling.change(station, schedule=schedule, hours=hours, per_minute=per_minute).as_dict()

    def inherit_polling(self, station: str) -> Json:
        """A station goes by the installation's polling settings again."""
        return self._host.polling.inherit(station).as_dict()

    def move_meter(self, meter: str, station: str, reason: str, m_id: int | None = None) -> Json:
        """Moves a meter below another station or to another modem address; its money stays as it is."""
        return self._host.topology.move_meter(meter, station, m_id=m_id, reason=reason).as_dict()
