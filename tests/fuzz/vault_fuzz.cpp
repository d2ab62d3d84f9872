// Any bytes are a question to the vault, a list, or a sealed file, or what is wrong with them: the first byte says as what they
// are read. A question is answered by one line, and whatever was asked, the vault allocates afterwards as one that was never
// asked anything.

#include <cstddef>
#include <cstdint>
#include <string>

#include "equipoise/core/record.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/load.h"
#include "equipoise/vault/process.h"
#include "tests/fuzz/fuzzing.h"

namespace {

using namespace equipoise;

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
site = [{ id = "s1" }, { id = "s2", cap = 1 }]
[randomisation]
method = "permuted_block"
block_sizes = [2, 4]
factors = [{ id = "site" }]
)toml";

using fuzzing::CountedChance;

class Fixture {
 public:
  Fixture() : vault_(make()), desk_(vault_) { ask(R"({"ask":"resume","number":0,"last":true})"); }
  void ask(std::string_view line) {
    const std::string answer = desk_.answer(line);
    expects(answer.starts_with('{') && answer.ends_with('}') && answer.find('\n') == std::string::npos, "an answer is one line");
    if (const auto error = error_in(answer)) expects(!error->message.empty(), "an error says what is wrong");
  }
  /// The vault is what it was: it makes the same receipts.
  std::string begin_anew() {
    expects(vault_.resume({}).has_value(), "an empty history can be told");
    std::string receipts;
    for (int i = 1; i <= 3; ++i) {
      receipts += encoded(vault_.allocate({.number = i, .participant = std::to_string(i), .levels = {i == 2}}).value());
      expects(vault_.confirm(i).has_value(), "what was asked for can be confirmed");
    }
    return receipts;
  }

 private:
  vault::Vault make() {
    const auto protocol = protocol::load_all(protocol_text, "fuzz").protocol;
    return vault::Vault::open(protocol, vault::draw_secrets(protocol, "test", "", chance_).value(), vault::Ledger::in_memory(),
                              {.clock = &clock_, .chance = &chance_})
        .value();
  }
  CountedChance chance_;
  SystemClock clock_;
  vault::Vault vault_;
  vault::Desk desk_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<char const*>(bytes) + 1, size - 1);
  if (bytes[0] == 'q') {
    Fixture fixture;
    static const std::string receipts = fixture.begin_anew();
    for (std::string_view rest = text; !rest.empty();) {
      const auto end = rest.find('\n');
      fixture.ask(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (text.find("amend") == std::string_view::npos) expects(fixture.begin_anew() == receipts, "questions change no allocation");
  } else if (bytes[0] == 'l') {
    const auto list = vault::parse_list(text, "list.csv", "t", "test");
    if (!list) {
      expects(!list.error().empty(), "a list or its problems");
      for (Error const& problem : list.error()) expects(!problem.message.empty(), "a problem has a sentence");
      return 0;
    }
    const auto again = vault::unpacked(vault::packed(*list));
    expects(again.has_value() && again->streams == list->streams, "a list survives its packing");
  } else {
    const vault::Lock key = vault::Lock::key(vault::SecretBytes(32));
    expects(!vault::open_box(vault::BoxKind::vault, text, key, "the file").has_value(), "nobody seals by accident");
    (void)vault::unpacked(text);
    (void)error_in(text);
  }
  return 0;
}
