#pragma once

#include <functional>

#include "equipoise/conduct/state.h"

namespace equipoise::conduct {

/// Folds the whole log into `state`, which is new. Every digest is made again from the bytes of its event, so that nobody can have
/// changed one and nothing else. While events are folded, the next ones are decoded in a second thread.
///
/// after   called with each event once it is folded; an error of it ends the replay
/// errors  inconsistent: the first event that is not what its digest says, that no program of this build wrote, or that cannot follow
Expected<void> replay(EventStore const& store, State& state, std::function<Expected<void>(TrialEvent const&)> const& after);

}  // namespace equipoise::conduct
