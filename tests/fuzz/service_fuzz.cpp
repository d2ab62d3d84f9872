// Any bytes are questions to the conduct service, one a line. Each is answered by one line of JSON, never by an end of the
// service; and whatever was asked, the log holds: its chain, its acts, and the state that is folded from it.

#include <cstddef>
#include <cstdint>
#include <string>

#include "equipoise/core/digest.h"
#include "equipoise/core/json.h"
#include "equipoise/server/service.h"
#include "equipoise/server/verify_trial.h"
#include "equipoise/store/memory.h"
#include "equipoise/vault/vault.h"
#include "tests/fuzz/fuzzing.h"

namespace {

using namespace equipoise;
using conduct::Role;

constexpr std::string_view protocol_text = R"toml(format = 1
[trial]
id = "t"
title = "t"
version = "1"
planned_participants = 6
[[arm]]
id = "a"
role = "investigational"
[[arm]]
id = "b"
role = "investigational"
[sites]
site = [{ id = "s1", time_zone = "Asia/Shanghai" }, { id = "s2", cap = 1 }]
[schedule]
visit = [{ id = "base", day = 1, forms = ["outcome"] }, { id = "end", day = 29, forms = ["outcome"] }]
[form.outcome]
value = { kind = "number", label = "Value" }
note = { kind = "text", label = "Note" }
[randomisation]
method = "permuted_block"
block_sizes = [2, 4]
factors = [{ id = "site" }]
)toml";

using fuzzing::CountedChance;

class StandingClock final : public Clock {
 public:
  Instant now() const override { return to_instant("2024-01-08T01:00:00.000Z").value(); }
};

class Fixture {
 public:
  Fixture() : vault_(make()), link_(vault_, {"a", "b"}), around_{store_, link_, nullptr, clock_, chance_, "fuzz"} {
    server::Opening opening{.protocol = std::string(protocol_text), .file = "fuzz", .environment = "simulated", .users = {}};
    const auto user = [&](std::string const& id, Role role, std::string const& site = "") {
      opening.users.push_back({id, "Somebody", sha256("x"), {{role, site}}});
    };
    user("a", Role::administrator), user("a2", Role::administrator), user("i", Role::investigator, "s1"),
        user("c", Role::coordinator, "s1");
    user("p", Role::preparer, "s1"), user("m", Role::monitor), user("d", Role::data_manager), user("d2", Role::data_manager);
    user("b", Role::blinded_statistician), user("u", Role::unblinded_statistician), user("u2", Role::unblinded_statistician);
    user("k", Role::committee), user("mm", Role::medical_monitor), user("l", Role::laboratory, "s2");
    const auto opened = server::Service::open_trial(opening, around_);
    expects(opened.has_value(), opened ? "" : to_string(opened.error().front()).c_str());
    service_ = std::move(*server::Service::start(around_));
  }

  void ask(std::string_view line) {
    const std::string answer = service_->answer(line);
    expects(answer.find('\n') == std::string::npos, "an answer is one line");
    const auto read = conduct::Json::parse(answer, nullptr, false);
    expects(read.is_object() && read.contains("ok") && read["ok"].is_boolean(),
            "an answer is JSON that says whether it was done");
    if (!read["ok"].get<bool>()) {
      expects(read["status"].is_number() && !read["problems"].empty(), "a refusal has a status and a problem");
      for (auto const& problem : read["problems"])
        expects(!problem["message"].get<std::string>().empty(), "a problem has a sentence");
    }
    expects(service_->broken().empty(), "no question breaks the service");
  }

  void expect_whole() {
    const auto verified = server::verify_trial(store_, nullptr);
    expects(verified.has_value() && verified->holds(), "the log holds, whatever was asked");
    conduct::State const& was = service_->state();
    const auto again = server::Service::start(around_);
    expects(again.has_value(), "a service starts on the log");
    expects((*again)->state().digest == was.digest && (*again)->state().allocations.size() == was.allocations.size(),
            "and has the same state");
  }

 private:
  vault::Vault make() {
    Problems problems;
    const auto plan = conduct::Plan::make(std::string(protocol_text), "fuzz", problems);
    expects(plan != nullptr, problems.empty() ? "" : to_string(problems.front()).c_str());
    return vault::Vault::open(plan->protocol(), vault::draw_secrets(plan->protocol(), "simulated", "", chance_).value(),
                              vault::Ledger::in_memory(), {.clock = &clock_, .chance = &chance_})
        .value();
  }
  StandingClock clock_;
  CountedChance chance_;
  store::MemoryStore store_;
  vault::Vault vault_;
  server::LinkTo<vault::Vault> link_;
  server::Surroundings around_;
  std::unique_ptr<server::Service> service_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Fixture fixture;
  int lines = 0;
  for (std::string_view rest(reinterpret_cast<char const*>(bytes), size); !rest.empty() && lines < 50; ++lines) {
    const auto end = rest.find('\n');
    fixture.ask(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  fixture.expect_whole();
  return 0;
}
