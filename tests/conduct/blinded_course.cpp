#include "tests/conduct/blinded_course.h"

#include <fmt/format.h>

#include <algorithm>

#include "equipoise/conduct/roles.h"

namespace equipoise::conducted {
namespace {

class Walk {
 public:
  explicit Walk(Asking const& ask) : ask_(ask) {}

  Course run(int participants) {
    stock();
    for (int i = 0; i < participants; ++i) participant(i);
    // One participant is unblinded: the physician learns an arm, and nobody else anything.
    ask_.act("investigator_s1", "request_unblinding", {{"participant", course_.who[0]}}, "overdose");
    course_.unblinded = ask_.act("investigator_s1", "confirm_unblinding", {{"request", "u-1"}}, "overdose");
    looks();
    return course_;
  }

 private:
  void stock() {
    course_.lot = ask_.act("preparer_s1", "label_kits", {{"lot", "lot-1"}, {"expires", "2026-01-01"}, {"kits_per_arm", 3}}, "");
    const Json kits = course_.lot["events"][0]["data"]["kits"];
    for (std::string const site : {"s1", "s2", "s3"}) {
      Json mine = Json::array();
      for (std::size_t i = 0; i < 3; ++i) mine.push_back(kits[std::size_t(site[1] - '1') * 3 + i]);
      ask_.act("preparer_s1", "move_kits", {{"step", "shipped"}, {"to", site}, {"kits", mine}}, "");
      ask_.act("coordinator_" + site, "move_kits", {{"step", "received"}, {"kits", mine}}, "");
    }
  }
  void save(std::string const& who, std::string const& visit, std::string const& form,
            std::vector<std::pair<std::string, std::string>> const& pairs) {
    ask_.act("coordinator_" + site_of(who), "record",
             {{"record", {{"participant", who}, {"form", form}, {"visit", visit}}}, {"revision", 0}, {"values", values(pairs)}},
             "");
  }
  void screening(std::string const& who, int cd4) {
    const std::string user = "coordinator_" + site_of(who), today = ask_.today();
    ask_.act(user, "consent", {{"participant", who}, {"date", today}}, "");
    ask_.act(user, "visit", {{"participant", who}, {"visit", "screening"}, {"date", today}}, "");
    save(who, "screening", "consent", {{"consent_date", today}});
    save(who, "screening", "demography", {{"age", "38"}, {"sex", "M"}});
    save(who, "screening", "history",
         {{"hiv", "true"}, {"art_start", "2015-03-01"}, {"cd4_highest", "220"}, {"cdc_c", "false"}, {"karnofsky", "90"}});
    save(who, "screening", "vitals", {{"weight", "62.5"}});
    save(who, "screening", "lymphocytes", {{"cd4", fmt::format("{}", cd4)}, {"cd8", "800"}});
    save(who, "screening", "virology", {{"hiv_rna", "<20"}});
  }
  void participant(int i) {
    const std::string site = fmt::format("s{}", i % 3 + 1), dose = fmt::format("dose-{}", i + 1);
    const std::string who = ask_.act("coordinator_" + site, "enrol", Json::object(), "")["events"][0]["data"]["participant"];
    screening(who, 100 + 17 * (i % 9));
    const Json back = ask_.look("investigator_" + site, "read_back", {{"participant", who}});
    ask_.act("investigator_" + site, "randomise", {{"participant", who}, {"confirm", back["shown"]["confirm"]}}, "");
    ask_.act("coordinator_" + site, "dispense_kit", {{"participant", who}, {"visit", "baseline"}},
             "");  // some are refused: no kit of the arm
    ask_.act("coordinator_" + site, "visit", {{"participant", who}, {"visit", "baseline"}, {"date", ask_.today()}}, "");
    save(who, "baseline", "vitals", {{"weight", fmt::format("{}", 55 + i)}});
    ask_.act("preparer_" + site, "prepare_dose",
             {{"participant", who}, {"visit", "baseline"}, {"intervention", "infusion"}, {"expires", "2024-12-31"}}, "");
    ask_.act("preparer_" + site + "_2", "confirm_dose", {{"dose", dose}}, "");
    ask_.act("preparer_" + site, "move_dose", {{"dose", dose}, {"step", "released"}}, "");
    for (std::string const step : {"received", "given"})
      ask_.act("coordinator_" + site, "move_dose", {{"dose", dose}, {"step", step}}, "");
    ask_.wait(std::chrono::hours(30));
    course_.who.push_back(who);
  }
  void looks() {
    for (std::string const& word : conduct::role_words()) {
      const conduct::Role role = conduct::to_role(word).value();
      const std::string user = conduct::works_at_site(role) ? word + "_s2" : word;
      for (conduct::Permission const& line : conduct::permissions())
        if (!line.acts && line.name != "read_back" && has(line.roles, role))
          ask_.look(user, std::string(line.name),
                    line.name == "participant" ? Json{{"participant", course_.who[1]}} : Json::object());
      if (has(conduct::permission("audit")->roles, role)) ask_.look(user, "audit", Json::object());
      if (has(conduct::permission("extract")->roles, role)) ask_.act(user, "extract", Json::object(), "");
    }
    ask_.act("data_manager", "extract", {{"arms", "dummy"}}, "");
    ask_.act("committee", "extract", {{"arms", "real"}}, "");
  }

  Asking const& ask_;
  Course course_;
};

}  // namespace

Course conduct_course(Asking const& ask, int participants) { return Walk(ask).run(participants); }

bool is_blinded(std::string const& user) {
  for (std::string_view role : {"preparer", "unblinded_statistician", "committee"})
    if (user.starts_with(role)) return false;
  return true;
}

std::string leaked(Leak leak, Course const& course) {
  const std::string arm = course.unblinded["shown"]["unblinded"]["arm"];
  switch (leak) {
    case Leak::none:
      break;
    case Leak::kit_order: {  // the packager's list in the order of arms
      std::vector<std::pair<std::string, std::string>> labels;
      for (Json const& label : course.lot["shown"]["labels"]) labels.emplace_back(label["arm"], label["kit"]);
      std::ranges::sort(labels);
      std::string order;
      for (auto const& [of, kit] : labels) order += kit + " ";
      return order;
    }
    case Leak::file_name:
      return "report_" + arm + ".pdf";
    case Leak::log_line:
      return std::string(arm.size(), '.');  // the length of a line is enough
    case Leak::extra_event:
      return arm == "placebo" ? "" : "dose prepared";
  }
  return {};
}

std::vector<std::vector<std::int32_t>> exchanges() {
  std::vector<std::vector<std::int32_t>> all;
  std::vector<std::int32_t> arms{0, 1, 2};
  while (std::next_permutation(arms.begin(), arms.end())) all.push_back(arms);
  return all;
}

}  // namespace equipoise::conducted
