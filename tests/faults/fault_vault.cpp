// The vault as a process of its own that dies where it is told to: before it acts on a question, or after it and before it
// answers. And vaults that are wrong on purpose. Driven by clients.py, beside fault_service.
//
//     fault_vault FOLDER SOCKET [--die PROBABILITY] [--mutant NAME] [--seed N]
//
// mutants   vault_forgets   does not take in the history that it is told after a start
//           vault_advances  counts an allocation when it is asked for one, and not when the log has it
//           two_places      one receipt in twenty is that of the allocation before
//           subject_twice   gives a participant a second arm
//           swapped_arms    reveals two neighbours' arms exchanged

#include <fmt/format.h>

#include <atomic>
#include <filesystem>

#include "equipoise/core/digest.h"
#include "equipoise/core/record.h"
#include "equipoise/protocol/load.h"
#include "equipoise/vault/message.h"
#include "equipoise/vault/process.h"
#include "tests/faults/dying.h"

namespace {

using namespace equipoise;

std::atomic<bool> stop{false};

int fail_with(std::string const& message) {
  fmt::print(stderr, "fault_vault: {}\n", message);
  return 1;
}

/// The vault's desk, or one that answers wrongly.
class WrongDesk {
 public:
  WrongDesk(vault::Vault& vault, std::string mutant, Key32 const& seed)
      : vault_(vault), desk_(vault), mutant_(std::move(mutant)), marks_(vault::Mac(seed), vault::mark_purpose) {}

  std::string answer(std::string_view line) {
    if (mutant_.empty()) return desk_.answer(line);
    const auto question = decoded<vault::Question>(line);
    if (!question) return desk_.answer(line);
    if (question->ask == "allocate" && question->request) return allocate(*question->request);
    if (question->ask == "confirm" && (mutant_ == "vault_advances" || mutant_ == "vault_forgets")) return "{}";
    if (question->ask == "resume") return resume(*question, line);
    if (question->ask == "reveal" && mutant_ == "swapped_arms") return swapped(desk_.answer(line));
    return desk_.answer(line);
  }

 private:
  std::string allocate(allocation::Request request) {
    const std::int64_t number = request.number;
    const std::string participant = request.participant;
    if (mutant_ == "vault_advances" || mutant_ == "vault_forgets") {
      request.number = vault_.confirmed() + 1;
      request.participant = fmt::format("{}#{}", participant, request.number);
    }
    if (mutant_ == "subject_twice") request.participant = alias(request);
    auto receipt = vault_.allocate(request);
    if (!receipt) return to_line(receipt.error());
    receipt->number = number, receipt->participant = participant;
    receipt->mark =
        vault::mark_of(marks_, *receipt, request.levels);  // so that marks are right, and what is wrong is what is meant
    if (mutant_ == "vault_advances" || mutant_ == "vault_forgets") (void)vault_.confirm(request.number);
    if (mutant_ == "two_places" && last_ && number % 20 == 0)
      receipt->stream = last_->stream, receipt->position = last_->position;
    last_ = *receipt;
    return encoded(*receipt);
  }
  std::string resume(vault::Question question, std::string_view line) {
    // One that counts for itself believes the log only when it has more.
    if (mutant_ == "vault_advances" && vault_.confirmed() > std::int64_t(question.history.size())) return "{}";
    if (mutant_ == "vault_forgets") return desk_.answer(R"({"ask":"resume","number":0,"last":true})");
    if (mutant_ != "subject_twice") return desk_.answer(line);
    for (allocation::Request& request : question.history) request.participant = alias(request);
    return desk_.answer(encoded(question));
  }
  static std::string alias(allocation::Request const& request) {
    return fmt::format("{}#{}", request.participant, request.number);
  }
  static std::string swapped(std::string line) {
    auto reveal = decoded<allocation::Reveal>(line);
    if (!reveal || reveal->allocations.size() < 3) return line;
    for (std::size_t i = 0; i + 1 < reveal->allocations.size(); ++i)
      if (reveal->allocations[i].arm != reveal->allocations[i + 1].arm) {
        std::swap(reveal->allocations[i].arm, reveal->allocations[i + 1].arm);
        break;
      }
    return encoded(*reveal);
  }

  vault::Vault& vault_;
  vault::Desk desk_;
  std::string mutant_;
  vault::DerivedKey marks_;
  std::optional<allocation::Receipt> last_;
};

}  // namespace

int main(int count, char** words) {
  if (count < 3) return fail_with("FOLDER SOCKET [--die PROBABILITY] [--mutant NAME] [--seed N]");
  const std::filesystem::path folder = words[1];
  signal(SIGTERM, [](int) { stop = true; });
  signal(SIGPIPE, SIG_IGN);
  faults::Dying dies(std::stod(faults::option(count, words, "--die", "0")),
                     std::stoull(faults::option(count, words, "--seed", "1")), folder / "deaths");
  const auto text = vault::read_whole("tests/faults/trial.toml");
  if (!text) return fail_with(text.error().message);
  const auto protocol = protocol::load(*text, "trial.toml");
  if (!protocol) return fail_with(to_string(protocol.error().front()));
  SystemClock clock;
  SystemChance chance;
  vault::Secrets secrets = vault::draw_secrets(*protocol, "test", "", chance).value();
  const Key32 key = key_from_hex(sha256("faults")).value();
  std::ranges::copy(key, secrets.seed.bytes().begin());
  auto ledger = vault::Ledger::open(folder / "ledger", secrets.seed, chance);
  if (!ledger) return fail_with(ledger.error().message);
  auto vault = vault::Vault::open(*protocol, std::move(secrets), std::move(*ledger), {&clock, &chance});
  if (!vault) return fail_with(vault.error().message);
  WrongDesk desk(*vault, faults::option(count, words, "--mutant"), key);
  auto server = LineServer::open(words[2]);
  if (!server) return fail_with(server.error().message);
  const auto done = server->run(stop, [&](LineServer::Connection, std::string_view line) -> std::optional<std::string> {
    dies("vault asked");
    std::string answer = desk.answer(line);
    dies("vault has acted");
    return answer;
  });
  return done ? 0 : fail_with(done.error().message);
}
