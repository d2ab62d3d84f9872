// Real trials, from a protocol file to a report, against the figures that were published and against R.

#include <regex>

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// As printed: a number to so many decimals.
std::string printed(json const& number, int decimals) {
  EXPECT_TRUE(number.is_number()) << number;
  return number.is_number() ? fmt::format("{:.{}f}", number.get<double>(), decimals) : "";
}

// International Chronic Granulomatous Disease Cooperative Study Group, N Engl J Med 1991;324:509-516: 14 of 63 on interferon
// gamma against 30 of 65 on placebo had a serious infection (time to the first: P = 0.0006), 20 against 56 infections in all.
// Hazard ratio: R 4.2.2, survival 3.5-3, coxph (Efron) on the first rows of each participant.
TEST(CgdReport, HasTheHeadlineAsPublished) {
  const Folder folder;
  const Ran ran = equipoise({"report", cgd}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "a01_test (primary, Log-rank test): Placebo 30 of 65, Interferon gamma 14 of 63; P = 0.0006\n"
            "a02_hazard_ratio (supportive, Cox proportional hazards model): Placebo 30 of 65, Interferon gamma 14 of 63; hazard "
            "ratio 0.335 (0.174 to 0.645)\n"
            "a03_curve (supportive, Kaplan-Meier estimate): Placebo 30 of 65, Interferon gamma 14 of 63\n"
            "a04_stratified (sensitivity, Cox proportional hazards model): Placebo 30 of 65, Interferon gamma 14 of 63; hazard "
            "ratio 0.348 (0.180 to 0.672)\n"
            "a05_proportion (secondary, Clopper-Pearson interval of a proportion): Placebo 30 of 65, Interferon gamma 14 of 63; "
            "Placebo: Share 0.462 (0.337 to 0.590); Interferon gamma: Share 0.222 (0.127 to 0.345)\n"
            "a06_proportions (secondary, Fisher's exact test): Placebo 30 of 65, Interferon gamma 14 of 63; "
            "Odds ratio (conditional) 0.336, P = 0.0053\n"
            "a07_all_infections (secondary, Cox proportional hazards model): Placebo 56 events in 65, "
            "Interferon gamma 20 events in 63; hazard ratio 0.334 (0.181 to 0.616)\n"
            "report/report.html\n");
  EXPECT_EQ(folder.all(), (std::vector<std::string>{"report", "report/report.html", "report/results.json"}));
}

TEST(CgdReport, HasThePublishedNumbersAndThoseOfR) {
  const Ran ran = equipoise({"analyse", cgd, "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json results = ran.answer();
  const auto value = [&](const char* id, const char* quantity, const char* arm) {
    return record(results, id, quantity, arm).at("value");
  };
  EXPECT_EQ(value("a01_test", "n_events", "placebo"), 30);
  EXPECT_EQ(value("a01_test", "n_subjects", "placebo"), 65);
  EXPECT_EQ(value("a01_test", "n_events", "interferon"), 14);
  EXPECT_EQ(value("a01_test", "n_subjects", "interferon"), 63);
  EXPECT_EQ(value("a07_all_infections", "n_events", "placebo"), 56);
  EXPECT_EQ(value("a07_all_infections", "n_events", "interferon"), 20);
  EXPECT_EQ(printed(record(results, "a01_test", "chi_square", "interferon").at("p"), 4), "0.0006");

  // R 4.2.2, survival 3.5-3: survdiff, coxph and confint, printed with 17 digits. Both programs stop their iterations with a step
  // far below 1e-10 here, and sum in another order: 1e-11.
  const double near = 1e-11;
  const json test = record(results, "a01_test", "chi_square", "interferon");
  EXPECT_NEAR(test.at("value").get<double>(), 11.742510868937028, near);
  EXPECT_NEAR(test.at("p").get<double>(), 0.00061088553740906715, near);
  const json ratio = record(results, "a02_hazard_ratio", "hazard_ratio", "interferon");
  EXPECT_NEAR(ratio.at("value").get<double>(), 0.33486667239784385, near);
  EXPECT_NEAR(ratio.at("lower").get<double>(), 0.17374042499555614, near);
  EXPECT_NEAR(ratio.at("upper").get<double>(), 0.64542082411547574, near);
  EXPECT_NEAR(ratio.at("p").get<double>(), 0.0010837950476115634, near);
  const json log_ratio = record(results, "a02_hazard_ratio", "estimate", "interferon");
  EXPECT_NEAR(log_ratio.at("value").get<double>(), -1.0940228192194992, near);
  EXPECT_NEAR(log_ratio.at("se").get<double>(), 0.33478680728384086, near);
  // coxph(Surv(tstart, tstop, status) ~ treat, cluster = id): limits from the robust standard error.
  const json all = record(results, "a07_all_infections", "hazard_ratio", "interferon");
  EXPECT_NEAR(all.at("value").get<double>(), 0.3344436963979381, near);
  EXPECT_NEAR(all.at("lower").get<double>(), 0.181468863346738, near);
  EXPECT_NEAR(all.at("upper").get<double>(), 0.6163734317693728, near);
  EXPECT_EQ(printed(all.at("value"), 4), "0.3344");
  EXPECT_EQ(printed(record(results, "a07_all_infections", "robust_se", "interferon").at("value"), 4), "0.3119");
}

TEST(CgdReport, IsTheSameBytesWhereverAndWheneverItIsMade) {
  const Folder first, second, copy;
  ASSERT_EQ(equipoise({"report", cgd, "--output", "r"}, {.folder = first.path}).status, 0);
  const std::string page = contents(first.path / "r/report.html"), results = contents(first.path / "r/results.json");
  ASSERT_GT(page.size(), 10'000u);
  // Decimal commas, another time zone and another language of messages; copied files under another name of the folder.
  fs::copy(source_dir / "examples/cgd", copy.path / "elsewhere", fs::copy_options::recursive);
  for (const char* locale : {"C", "de_DE.UTF-8", "C.UTF-8"})
    for (const char* zone : {"Asia/Kathmandu", "America/St_Johns"}) {
      const Ran ran = equipoise({"report", "elsewhere/protocol.toml", "--output", (second.path / "other/name").string()},
                                {.folder = copy.path, .environment = {{"LC_ALL", locale}, {"LANG", locale}, {"TZ", zone}}});
      ASSERT_EQ(ran.status, 0) << ran.err;
      EXPECT_EQ(contents(second.path / "other/name/report.html"), page) << locale << " " << zone;
      EXPECT_EQ(contents(second.path / "other/name/results.json"), results) << locale << " " << zone;
    }
  // `analyse` gives the same document on standard output, but for the tables, which are the report's.
  json numbers = json::parse(results);
  EXPECT_EQ(numbers.erase("tables"), 1u);
  EXPECT_EQ(json::parse(equipoise({"analyse", cgd}).out), numbers);
  EXPECT_EQ(equipoise({"report", cgd, "--json", "--output", (second.path / "json").string()}).out, results);
}

TEST(CgdReport, IsOnePageWithoutDatesPathsOrLinksOutside) {
  const Folder folder;
  ASSERT_EQ(equipoise({"report", cgd, "--output", "r"}, {.folder = folder.path}).status, 0);
  const std::string page = contents(folder.path / "r/report.html"), results = contents(folder.path / "r/results.json");
  EXPECT_FALSE(std::regex_search(
      page, std::regex("(src|href|action|poster|data)\\s*=\\s*[\"']?\\s*(https?:|//|file:|/)", std::regex::icase)));
  EXPECT_FALSE(
      std::regex_search(page, std::regex("@import|url\\(\\s*[\"']?(https?:|//)|<link|<iframe|<object|<base", std::regex::icase)));
  std::string without_names = page;  // the name of the SVG vocabulary is no address to load
  for (std::size_t at; (at = without_names.find("http://www.w3.org/2000/svg")) != std::string::npos;) without_names.erase(at, 26);
  EXPECT_THAT(without_names, Not(HasSubstr("http://")));
  EXPECT_THAT(without_names, Not(HasSubstr("https://")));
  for (std::string const& text : {page, results}) {
    EXPECT_THAT(text, Not(HasSubstr(folder.path.string())));
    EXPECT_THAT(text, Not(HasSubstr(source_dir.string())));
    EXPECT_FALSE(std::regex_search(text, std::regex("/(home|root|tmp|usr|var)/")));
    EXPECT_FALSE(std::regex_search(text, std::regex("20[2-9][0-9]-[01][0-9]")));            // a date of these days
    EXPECT_FALSE(std::regex_search(text, std::regex("[0-2][0-9]:[0-5][0-9]:[0-5][0-9]")));  // a time of day
  }
  // The P value in a sentence and in the table of results, from the same record.
  const std::string text = std::regex_replace(page, std::regex("\u00a0|&nbsp;"), " ");
  EXPECT_THAT(text, HasSubstr("chi-square statistic 11.74, 1 df, P = 0.0006"));
  EXPECT_TRUE(std::regex_search(page, std::regex("11\\.74</span></td><td>1</td><td>0\\.0006</td>")));
  EXPECT_THAT(text, HasSubstr("0.335"));
  EXPECT_TRUE(std::regex_search(page, std::regex("0\\.174 to 0\\.645")));
  const json provenance = json::parse(results).at("provenance");
  for (const char* digest : {"protocol_digest", "data_digest"})
    EXPECT_THAT(page, HasSubstr(provenance.at(digest).get<std::string>())) << digest;
}

// Hammer SM et al., N Engl J Med 1997;337:725-733: AIDS or death in 33 against 63, hazard ratio 0.50 (0.33 to 0.76) stratified by
// CD4; death in 8 against 18, 0.43 (0.19 to 0.99).
TEST(Actg320, ReproducesThePublishedHazardRatios) {
  const fs::path data = shared_dir() / "data/actg320/actg320.csv";
  if (!fs::exists(data)) GTEST_SKIP() << "the data of ACTG 320 are not shipped: name their folder in EQUIPOISE_SHARED";
  const Ran ran =
      equipoise({"analyse", (source_dir / "tests/data/actg320/protocol.toml").string(), "--data", data.string(), "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err << ran.out;
  const json results = ran.answer();
  const auto count = [&](const char* id, const char* quantity, const char* arm) {
    return record(results, id, quantity, arm).at("value");
  };
  EXPECT_EQ(count("a1_aids_or_death", "n_events", "indinavir"), 33);
  EXPECT_EQ(count("a1_aids_or_death", "n_events", "control"), 63);
  EXPECT_EQ(count("a3_death", "n_events", "indinavir"), 8);
  EXPECT_EQ(count("a3_death", "n_events", "control"), 18);
  EXPECT_EQ(count("a3_death", "n_subjects", "control").get<int>() + count("a3_death", "n_subjects", "indinavir").get<int>(),
            1151);
  const json first = record(results, "a1_aids_or_death", "hazard_ratio", "indinavir"),
             death = record(results, "a3_death", "hazard_ratio", "indinavir");
  EXPECT_EQ(printed(first.at("value"), 2), "0.50");
  EXPECT_EQ(printed(first.at("lower"), 2), "0.33");
  EXPECT_EQ(printed(first.at("upper"), 2), "0.76");
  EXPECT_EQ(printed(death.at("value"), 2), "0.43");
  EXPECT_EQ(printed(death.at("lower"), 2), "0.19");
  EXPECT_EQ(printed(death.at("upper"), 2), "0.99");

  // R 4.2.2, survival 3.5-3: coxph(Surv(time, censor) ~ tx + strata(strat2)) with eps = 1e-15 (its default stops 7e-10 short),
  // printed with 16 digits. 1151 summands in another order: 1e-12.
  const double near = 1e-12;
  const json log_ratio = record(results, "a1_aids_or_death", "estimate", "indinavir");
  EXPECT_NEAR(log_ratio.at("value").get<double>(), -0.6942510390759217, near);
  EXPECT_NEAR(log_ratio.at("se").get<double>(), 0.2149601307383853, near);
  EXPECT_NEAR(first.at("value").get<double>(), 0.4994483752558606, near);
  EXPECT_NEAR(first.at("lower").get<double>(), 0.3277300088112158, near);
  EXPECT_NEAR(first.at("upper").get<double>(), 0.7611407952861904, near);
  EXPECT_NEAR(first.at("p").get<double>(), 0.001239316569957387, near);
  EXPECT_NEAR(record(results, "a1_aids_or_death", "likelihood_ratio_chi_square").at("value").get<double>(), 11.00881525867521,
              1e-10);  // of 500 logs
  EXPECT_NEAR(death.at("value").get<double>(), 0.4319131668862247, near);
  EXPECT_NEAR(death.at("lower").get<double>(), 0.1877973044712907, near);
  EXPECT_NEAR(death.at("upper").get<double>(), 0.9933528292905088, near);
  EXPECT_NEAR(death.at("p").get<double>(), 0.04819342010933116, near);
  EXPECT_NEAR(record(results, "a2_test", "chi_square", "indinavir").at("value").get<double>(), 10.860130016086487,
              near);  // survdiff
  // Death is part of the endpoint because the estimand says so: the 26 dated deaths were met.
  EXPECT_THAT(notes(results, "a1_aids_or_death"), ::testing::Contains("Intercurrent event \"Death\": 26 recorded."));
}

// R 4.2.2, survival 3.5-3, on examples/cgd: participants randomised by 1989-12-31, infections and follow-up after that day not
// known.
//   l <- as.numeric(as.Date("1989-12-31") - as.Date(random)); e <- status == 1 & tstop <= l; t <- pmin(tstop, l)
//   coxph(Surv(t, e) ~ treat), survdiff(Surv(t, e) ~ treat) on each participant's first row
TEST(Cutoff, KnowsNothingLater) {
  const Ran ran = equipoise({"analyse", cgd, "--cutoff", "1989-12-31", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err << ran.out;
  const json results = ran.answer();
  EXPECT_EQ(results.at("provenance").at("cutoff"), "1989-12-31");
  const auto count = [&](const char* id, const char* quantity, const char* arm) {
    return record(results, id, quantity, arm).at("value");
  };
  EXPECT_EQ(count("a01_test", "n_events", "placebo"), 11);
  EXPECT_EQ(count("a01_test", "n_events", "interferon"), 3);
  EXPECT_EQ(count("a01_test", "n_subjects", "placebo"), 65);
  EXPECT_EQ(count("a01_test", "n_subjects", "interferon"), 63);
  EXPECT_EQ(count("a07_all_infections", "n_events", "placebo"), 14);
  EXPECT_EQ(count("a07_all_infections", "n_events", "interferon"), 4);
  const json ratio = record(results, "a02_hazard_ratio", "hazard_ratio", "interferon");
  EXPECT_NEAR(ratio.at("value").get<double>(), 0.22850982822597765,
              1e-8);  // coxph's default tolerance is 1e-9 of the log likelihood
  EXPECT_NEAR(ratio.at("lower").get<double>(), 0.063651720878872178, 1e-8);
  EXPECT_NEAR(ratio.at("upper").get<double>(), 0.82035082280388172, 1e-8);
  EXPECT_NEAR(record(results, "a01_test", "chi_square", "interferon").at("value").get<double>(), 6.1151406755381119, 1e-11);
  // Nobody is followed longer than from the first randomisation to the cut-off: max(t) in R is 207 days; without it 388.
  double longest = 0;
  for (json const& curve : results.at("curves"))
    if (curve.at("quantity") == "survival")
      for (json const& time : curve.at("columns").at("time")) longest = std::max(longest, time.get<double>());
  EXPECT_EQ(longest, 207);
  EXPECT_THAT(equipoise({"analyse", cgd}).out, Not(HasSubstr("\"cutoff\"")));
}

TEST(Cutoff, LeavesOutWhoWasNotYetRandomised) {
  const Ran ran = equipoise({"analyse", cgd, "--cutoff", "1989-06-30", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err << ran.out;
  const json results = ran.answer();
  // In R as above: one on placebo and three on interferon, one of them not at risk on day 8, when the placebo participant is
  // infected. O - E = 2/3, V = 2/9: chi-square 2, with one event in all and a hazard ratio that does not exist.
  EXPECT_EQ(results.at("flow").at(0).at("randomised"), 1);
  EXPECT_EQ(results.at("flow").at(1).at("randomised"), 3);
  EXPECT_NEAR(record(results, "a01_test", "chi_square", "interferon").at("value").get<double>(), 2.0, 1e-14);
  EXPECT_EQ(record(results, "a02_hazard_ratio", "hazard_ratio", "interferon").at("value"), "NE");
}

TEST(Cutoff, NeedsCalendarDates) {
  const Ran without = equipoise({"report", remission, "--cutoff", "1963-01-01"});
  EXPECT_EQ(without.status, 3);
  EXPECT_EQ(without.err, "a data cut-off needs calendar dates, and the data have none: [source] names no column 'randomised'\n");
  const Ran no_day = equipoise({"report", cgd, "--cutoff", "1989-02-30"});
  EXPECT_EQ(no_day.status, 2);
  EXPECT_EQ(no_day.err, "the data cut-off '1989-02-30' is not a date YYYY-MM-DD\n");
}

// R 4.2.2, survival 3.5-3, on examples/remission: coxph with ties = "efron" and "breslow"; survfit with conf.type = "log" and
// "log-log", 6-MP at day 70. Printed with 16 digits; coxph stops at 1e-9 of the log likelihood.
TEST(Match, SetsTheDefaultsOnWhichProgramsDifferAndSaysSo) {
  struct Program {
    const char *match, *ties_note, *interval_note;
    double ratio, lower, upper;
  };
  const Program programs[] = {
      {"r", "Tied events: Efron's approximation, the default of R (match = \"r\").",
       "Pointwise 95 % limits: Greenwood's variance on the log scale, the default of R (match = \"r\").", 0.2076035248415374,
       0.5859189820296942, 0.9675747545522975},
      {"sas", "Tied events: Breslow's approximation, the default of SAS (match = \"sas\").",
       "Pointwise 95 % limits: Greenwood's variance on the log-log scale, the default of SAS (match = \"sas\").",
       0.2210886752236533, 0.5031995107999565, 0.8893618351692654},
  };
  std::string protocol = contents(remission);
  protocol = with(protocol, "ties = \"efron\"\n", "");
  protocol = with(protocol, "interval = \"log-log\"\n", "times = [70]\n");
  for (Program const& program : programs) {
    const Folder folder;
    fs::copy(source_dir / "examples/remission/remission.csv", folder.path);
    write(folder.path / "p.toml",
          with(protocol, "[[arm]]", "[conventions]\nmatch = \"" + std::string(program.match) + "\"\n\n[[arm]]"));
    const Ran ran = equipoise({"report", "p.toml", "--output", ".", "--json"}, {.folder = folder.path});
    ASSERT_EQ(ran.status, 0) << ran.err << ran.out;
    const json results = ran.answer();
    EXPECT_EQ(results.at("provenance").at("match"), program.match);
    EXPECT_THAT(notes(results, "a02_hazard_ratio"), ::testing::Contains(program.ties_note));
    EXPECT_THAT(notes(results, "a03_curve"), ::testing::Contains(program.interval_note));
    EXPECT_NEAR(record(results, "a02_hazard_ratio", "hazard_ratio", "mp").at("value").get<double>(), program.ratio, 1e-8)
        << program.match;
    for (json const& one : results.at("records"))
      if (one.at("quantity") == "survival" && one.at("at").at("group") == "mp") {
        EXPECT_NEAR(one.at("value").get<double>(), 0.7529411764705881, 1e-14);
        EXPECT_NEAR(one.at("lower").get<double>(), program.lower, 1e-13) << program.match;
        EXPECT_NEAR(one.at("upper").get<double>(), program.upper, 1e-13) << program.match;
      }
    const std::string page = contents(folder.path / "report.html");
    EXPECT_THAT(page,
                HasSubstr(std::string("pointwise 95% intervals (") + (program.match == std::string("r") ? "log)" : "log-log)")))
        << "the figure's caption";
    EXPECT_THAT(page, HasSubstr(std::string("match = &quot;") + program.match + "&quot;")) << "the page names the program";
  }
}

TEST(Simulated, IsSaidOnTheScreenInTheFilesAndInEveryFigure) {
  const Folder folder;
  write(folder.path / "p.toml", with(contents(remission), "version = \"1.0\"", "version = \"1.0\"\nsimulated = true"));
  fs::copy(source_dir / "examples/remission/remission.csv", folder.path);
  const Ran ran = equipoise({"report", "p.toml", "--output", "."}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(ran.out.starts_with("SIMULATED data\n")) << ran.out;
  EXPECT_EQ(json::parse(contents(folder.path / "results.json")).at("provenance").at("simulated"), true);
  const std::string page = contents(folder.path / "report.html");
  EXPECT_THAT(page, HasSubstr("Simulated data. No participant of this report exists"));
  std::size_t figures = 0, marked = 0;
  for (std::size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) {
    ++figures;
    marked += page.substr(at, page.find("</svg>", at) - at).find("SIMULATED</text>") != std::string::npos;
  }
  EXPECT_GE(figures, 2u);
  EXPECT_EQ(marked, figures);

  ASSERT_EQ(equipoise({"report", remission, "--output", "real"}, {.folder = folder.path}).status, 0);
  EXPECT_THAT(contents(folder.path / "real/report.html"), Not(HasSubstr("SIMULATED")));
  EXPECT_EQ(json::parse(contents(folder.path / "real/results.json")).at("provenance").at("simulated"), false);
}

// The numbers are R's: tests/integration/beat_the_blues/expected.R; Kenward and Roger's limits are this program's.
TEST(BeatTheBluesReport, HasEveryPartOfRepeatedMeasures) {
  const Folder folder;
  const std::string protocol = (source_dir / "examples/beat-the-blues/protocol.toml").string();
  const Ran ran = equipoise({"report", protocol}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(
      ran.out,
      HasSubstr("a02_structured (sensitivity, Mixed model for repeated measures): Beat the Blues against Usual treatment, "
                "Month 8: difference of LS means -2.10 ("));
  EXPECT_THAT(ran.out, HasSubstr("a07_jump_to_reference (sensitivity, Reference-based imputation): Beat the Blues against Usual "
                                 "treatment, Month 8: difference of LS means -0.640 (-2.80 to 1.52), P = 0.562"));
  const std::string page = contents(folder.path / "report/report.html");
  for (const char* part :
       {"Depression over 8 months: LS means by visit", "Depression over 8 months: differences from Usual treatment by visit",
        "Beck Depression Inventory: every participant",
        "Beck Depression Inventory: differences from Usual treatment in every analysis, Month 8",
        "Beck Depression Inventory: values seen and missing by visit",
        "Beck Depression Inventory: which visits participants have",
        "Imputed as in those who stayed: how far imputed values would have to shift", "in favour of Usual treatment",
        "Depression over 8 months: scaled residuals of the model",
        "Depression over 8 months: estimated correlation between visits", "Participants observed", "favours Beat the Blues",
        "one mean with Usual treatment"})
    EXPECT_THAT(page, HasSubstr(part));
  // What a reviewer asks of a mixed model.
  for (const char* note :
       {"Restricted maximum likelihood; covariance of the visits of a participant: unstructured, 10 parameters.", "Converged in ",
        "Degrees of freedom and standard errors by Kenward and Roger (1997).",
        "97 participants with 280 values at 4 visits, 52 of them complete; missing values are taken to be missing at random.",
        "P values and limits are not adjusted for multiplicity."})
    EXPECT_THAT(page, HasSubstr(note));
  EXPECT_THAT(page, Not(HasSubstr("LS mean, difference or coefficient")));  // each row says which it is
  EXPECT_THAT(page, Not(HasSubstr("\u201cm8\u201d")));
  EXPECT_THAT(page, Not(HasSubstr("'m8'")));
  ASSERT_EQ(equipoise({"report", protocol, "--language", "zh", "--output", "zh"}, {.folder = folder.path}).status, 0);
  const std::string chinese = contents(folder.path / "zh/report.html");
  for (const char* part : {"贝克抑郁量表：各分析的与常规治疗之差，第8月", "有利于常规治疗", "缺失数据", "模型诊断"})
    EXPECT_THAT(chinese, HasSubstr(part));
}

}  // namespace
}  // namespace equipoise::e2e
