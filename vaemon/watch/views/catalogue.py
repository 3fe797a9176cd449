"""The views by number, as the keys pick them."""

from vaemon.watch.views.balance import BalanceView
from vaemon.watch.views.compare import CompareView
from vaemon.watch.views.evaluations import EvaluationsView
from vaemon.watch.views.events import EventsView
from vaemon.watch.views.home import HomeView
from vaemon.watch.views.latent import LatentView
from vaemon.watch.views.runs import RunsView
from vaemon.watch.views.samples import SamplesView
from vaemon.watch.views.trajectories import TrajectoriesView
from vaemon.watch.views.view import View

VIEWS: dict[int, type[View]] = {
    1: HomeView,
    2: TrajectoriesView,
    3: BalanceView,
    4: LatentView,
    5: EventsView,
    6: SamplesView,
    7: EvaluationsView,
    8: CompareView,
    9: RunsView,
}
