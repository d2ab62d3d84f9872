#pragma once

#include <string>
#include <vector>

#include "equipoise/conduct/commands.h"
#include "equipoise/conduct/eligibility.h"
#include "equipoise/conduct/vault_port.h"
#include "equipoise/core/chance.h"

namespace equipoise::conduct {

/// Who asks, in which role, at which site; and why.
struct Actor {
  std::string user{};
  Role role{};
  std::string site{};    ///< empty: at no site in particular
  std::string reason{};  ///< free text
};

/// What a decision needs beside state and command.
struct Surroundings {
  Plans const& plans;
  Clock const& clock;
  Chance& chance;
  VaultPort& vault;
  EventStore const& store;  ///< documents, and texts to be destroyed
};

/// What a command becomes. With a refusal the events say that it was refused, and there may be none.
struct Decision {
  std::vector<Event> events{};
  TextId reason{};  ///< of the envelope of each
  std::vector<StoredText> texts{};
  std::vector<Once> once{};
  std::vector<TextId> destroyed{};
};

/// What happens when somebody asks for something: the events, or every reason why not. Changes nothing.
///
/// errors  refused (role, blinding, state of trial or participant), conflict (a stale revision), unresolved (no such participant,
///         form, ...: also where there is one at another site), bad_cell and the like (values), missing_key (no reason given)
Checked<Decision> decide(State const& state, Actor const& actor, Command const& command, Surroundings const& around);

/// Whether the user may use the command or view in the role at the site.
/// errors  refused
Expected<void> authorise(State const& state, Actor const& actor, std::string_view name);

/// What `read_back` shows and `randomise` takes back: changes whenever what it rests on does.
std::string confirmation(State const& state, Participant const& who);

/// What stands in the way of a participant's randomisation, as problems.
Problems not_ready(Readiness const& readiness, Participant const& who);

}  // namespace equipoise::conduct
