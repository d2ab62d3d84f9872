#include "equipoise/analysis/verify.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/core/json.h"
#include "equipoise/analysis/reference_case.h"

namespace equipoise::analysis {
namespace {

std::vector<std::string> problems(std::string_view jsonl) {
  std::vector<std::string> sentences;
  const auto cases = read_reference_cases("c.jsonl", jsonl);
  if (!cases)
    for (Error const& error : cases.error()) sentences.push_back(to_string(error));
  return sentences;
}
using Sentences = std::vector<std::string>;

TEST(ReferenceCase, ReadsEveryPartOfALine) {
  const auto read = read_reference_cases(
      "c.jsonl",
      "\n{\"id\": \"one\", \"method\": \"cox\", \"data\": \"a/b.csv\", \"where\": [{\"column\": \"v\", \"in\": [\"x\", 2]}, "
      "{\"column\": \"w\", \"min\": 1, \"max\": 2}, "
      "{\"column\": \"u\", \"present\": false}], \"roles\": {\"time\": \"t\", \"strata\": [\"a\", \"b\"]}, \"options\": "
      "{\"ties\": \"efron\"}, \"source\": \"R\", "
      "\"expect\": [{\"id\": \"e1\", \"quantity\": \"p\", \"at\": {\"term\": [{\"column\": \"B\", \"level\": \"x\"}, "
      "{\"column\": \"A\"}]}, \"value\": \"NE\", \"rel_tol\": 0.1}, "
      "{\"quantity\": \"survival\", \"at\": {\"group\": \"g\", \"time\": 5}, \"value\": 0.5, \"rel_tol\": 0}]}\n");
  ASSERT_TRUE(read) << to_string(read.error().front());
  ReferenceCase const& one = read->front();
  EXPECT_EQ(one.analysis.id, "one");
  EXPECT_EQ(one.analysis.place, (Place{.file = "c.jsonl", .line = 2}));
  EXPECT_EQ(one.data, "a/b.csv");
  ASSERT_EQ(one.analysis.where.size(), 3u);
  EXPECT_EQ(one.analysis.where[0].is_in, (std::vector<CellValue>{"x", 2.0}));
  EXPECT_EQ(one.analysis.where[1].max, 2.0);
  EXPECT_EQ(one.analysis.where[2].present, false);
  EXPECT_EQ(one.analysis.roles, (stats::Roles{{"strata", {"a", "b"}}, {"time", {"t"}}}));
  EXPECT_EQ(canonical(one.analysis.options), "{\"ties\":\"efron\"}");
  EXPECT_TRUE(std::isnan(one.expect[0].value));
  EXPECT_EQ(std::get<Term>(one.expect[0].at.at("term")), (Term{{"A", {}}, {"B", "x"}})) << "factors in one order";
  EXPECT_EQ(one.expect[1].at, (At{{"group", "g"}, {"time", 5.0}}));
}

TEST(ReferenceCase, ReportsEveryLineThatIsNoCase) {
  const std::string good =
      R"({"id": "a", "method": "cox", "data": null, "expect": [{"quantity": "p", "value": 1, "rel_tol": 0}]})";
  EXPECT_EQ(problems(good), Sentences{});
  EXPECT_EQ(problems(""), Sentences{"c.jsonl: the file has no cases"});
  EXPECT_EQ(problems("{\n[1]\n" + good + "\n" + good), (Sentences{"c.jsonl:1: this is not JSON, at character 2 of the line",
                                                                  "c.jsonl:2: a case must be an object, and this line is a list",
                                                                  "c.jsonl:4: the case id 'a' is given twice, first on line 3"}));
  EXPECT_EQ(problems(R"({"id": "a", "id": "b"})"), Sentences{"c.jsonl:1: the key 'id' is given twice"});
  EXPECT_EQ(problems(R"({"id": "a", "method": "cox", "dat": null, "expect": []})"),
            (Sentences{"c.jsonl:1: case 'a' needs the key 'data'",
                       "c.jsonl:1: case 'a' has no key 'dat'\n  hint: did you mean 'data'?"}));
  EXPECT_EQ(problems(R"({"id": "a", "method": "cox", "data": null, "expect": []})"),
            Sentences{"c.jsonl:1: case 'a' expects nothing"});
  EXPECT_EQ(
      problems(
          R"({"id": "a", "method": "cox", "data": "../../etc/passwd", "expect": [{"quantity": "p", "value": "?", "rel_tol": -1}]})"),
      (Sentences{"c.jsonl:1: the data of case 'a' must be a file below the data folder, and are '../../etc/passwd'",
                 "c.jsonl:1: 'rel_tol' in an expected value of case 'a' must be at least 0, and is -1",
                 "c.jsonl:1: 'value' in an expected value of case 'a' must be a number or \"NE\", and is ?"}));
  EXPECT_EQ(
      problems(
          R"({"id": "a", "method": "cox", "data": null, "where": [{"column": "x"}, {"column": "y", "is": true}], "expect": [{"quantity": "p", "value": 1, "rel_tol": 0}]})"),
      (Sentences{"c.jsonl:1: a rule of case 'a' needs one of is, not, in, present, min and max",
                 "c.jsonl:1: 'is' in a rule of case 'a' must be text or a number, and is true or false"}));
}

TEST(JsonReader, RefusesWhatWouldBeReadWrongly) {
  EXPECT_EQ(canonical(*read_json(R"({"a": [1, 2.5, null, true, "x"]})", {})), R"({"a":[1,2.5,null,true,"x"]})");
  EXPECT_EQ(read_json("1e999", {}).error().message, "the number 1e999 is beyond what a double holds");
  EXPECT_EQ(read_json(std::string(100'000, '['), {}).error().message, "more than 64 levels of nesting");
  EXPECT_FALSE(read_json("\"\xFF\"", {}));
  EXPECT_FALSE(read_json("1 2", {}));
  EXPECT_EQ(read_json("18446744073709551615", {})->number(), 18446744073709551615.0);
}

/// Data of six people, and the text of a case about them.
Expected<std::string> six(std::string_view name) {
  if (name != "six.csv") return fail(Code::io, "there is no such file");
  return "response,arm\n1,a\n1,a\n0,a\n0,b\n0,b\n,b\n";
}
std::string one_case(std::string_view rest) { return fmt::format(R"({{"id": "c", {}}})", rest); }
std::string share(std::string_view expect) {
  return one_case(fmt::format(
      R"("method": "clopper_pearson", "data": "six.csv", "roles": {{"response": "response"}}, "expect": [{}])", expect));
}

/// status and reason of each value.
std::string outcome(std::string const& jsonl) {
  const auto verification = verify("c.jsonl", jsonl, six);
  if (!verification) return "refused: " + to_string(verification.error().front());
  std::string out;
  for (CheckedValue const& value : verification->values)
    out += fmt::format("{}{}{}\n", phrase(value.status), value.reason.empty() ? "" : ": ", value.reason);
  return out;
}

// Expected: 2 of 5 people with a response; the sixth misses one.
TEST(Verify, PassesWithinTheToleranceAndNoFurther) {
  EXPECT_EQ(outcome(share(R"({"quantity": "estimate", "value": 0.4, "rel_tol": 0})")), "passed\n");
  EXPECT_EQ(outcome(share(R"({"quantity": "estimate", "value": 0.404, "rel_tol": 0.01})")), "passed\n");
  EXPECT_EQ(outcome(share(R"({"quantity": "estimate", "value": 0.41, "rel_tol": 0.01})")), "failed: another number\n");
  EXPECT_EQ(outcome(share(R"({"quantity": "estimate", "value": "NE", "rel_tol": 1})")),
            "failed: a number where none is estimable\n");
  EXPECT_EQ(outcome(share(R"({"quantity": "estimate", "at": {"group": "a"}, "value": 0.4, "rel_tol": 0})")),
            "failed: clopper_pearson gave no 'estimate' there\n");
}

TEST(Verify, NeverSkipsWhatItDoesNotKnow) {
  EXPECT_EQ(outcome(share(R"({"quantity": "estimates", "value": 0.4, "rel_tol": 0})")),
            "unsupported: clopper_pearson has no quantity 'estimates'\n");
  EXPECT_EQ(outcome(share(R"({"quantity": "estimate", "at": {"place": "x"}, "value": 0.4, "rel_tol": 0})")),
            "unsupported: 'at' has no key 'place'\n");
  EXPECT_EQ(outcome(share(R"({"quantity": "estimate", "at": {"lsmean": {"arm": "a"}}, "value": 0.4, "rel_tol": 0})")),
            "failed: clopper_pearson gave no 'estimate' there\n");
  for (auto const& [at, shape] :
       {std::pair(R"({"lsmean": "a"})", "'lsmean' must be a table { column = level }"),
        std::pair(R"({"difference": {"column": "arm"}})", "'difference' must be a table { column, level, minus }"),
        std::pair(R"({"interval": [1]})", "'interval' must be a list [from, to], to being null when open"),
        std::pair(R"({"effect": []})", "'effect' must be a list of columns"),
        std::pair(R"({"global": false})", "'global' must be true")})
    EXPECT_EQ(outcome(share(fmt::format(R"({{"quantity": "estimate", "at": {}, "value": 0.4, "rel_tol": 0}})", at))),
              fmt::format("unsupported: {}\n", shape));
  const std::string expect = R"("expect": [{"quantity": "estimate", "value": 0.4, "rel_tol": 0}])",
                    data = R"("data": "six.csv", )";
  EXPECT_EQ(outcome(one_case(R"("method": "guess", )" + data + expect)), "unsupported: no method is called 'guess'\n");
  EXPECT_EQ(outcome(one_case(R"("method": "ae_table", )" + data + expect)), "not available: the method 'ae_table' is not in this build\n");
  EXPECT_EQ(
      outcome(one_case(R"("method": "clopper_pearson", "roles": {"response": "response", "dose": "arm"}, )" + data + expect)),
      "unsupported: clopper_pearson has no role 'dose'\n");
  EXPECT_EQ(outcome(one_case(R"("method": "clopper_pearson", "roles": {"response": "response"}, "options": {"levle": 0.9}, )" +
                             data + expect)),
            "unsupported: analysis 'c' has no key 'levle'\n");
}

TEST(Verify, FailsACaseThatItsDataCannotAnswer) {
  const std::string expect = R"("expect": [{"quantity": "estimate", "value": 0.4, "rel_tol": 0}])";
  EXPECT_EQ(outcome(one_case(R"("method": "clopper_pearson", "data": "six.csv", "roles": {"response": "arm"}, )" + expect)),
            "failed: six.csv:2: column 'arm': 'a' is not a number\n");
  EXPECT_EQ(outcome(one_case(R"("method": "clopper_pearson", "data": "six.csv", "roles": {"response": "resp"}, )" + expect)),
            "failed: six.csv:1: the data have no column 'resp'\n  hint: columns: response, arm\n");
  EXPECT_EQ(outcome(one_case(R"("method": "clopper_pearson", "data": null, "roles": {"response": "resp"}, )" + expect)),
            "failed: c.jsonl:1: case 'c' has no data, and needs column 'resp'\n");
  EXPECT_EQ(
      outcome(one_case(
          R"("method": "clopper_pearson", "data": "six.csv", "where": [{"column": "arm", "is": "z"}], "roles": {"response": "response"}, )" +
          expect)),
      "failed: analysis 'c' has no rows: none of the 6 rows of the data meets its filter\n");
}

TEST(Verify, RefusesCasesWhoseDataCannotBeRead) {
  EXPECT_EQ(
      outcome(one_case(
          R"("method": "clopper_pearson", "data": "seven.csv", "roles": {"response": "r"}, "expect": [{"quantity": "estimate", "value": 0.4, "rel_tol": 0}])")),
      "refused: c.jsonl:1: the data file 'seven.csv' cannot be read: there is no such file");
}

TEST(Verify, SaysItAsATableAndAsJson) {
  const auto verification = verify(
      "c.jsonl",
      share(
          R"({"id": "v1", "quantity": "estimate", "value": 0.4, "rel_tol": 0}, {"quantity": "estimate", "value": 0.5, "rel_tol": 0.1})"),
      six);
  ASSERT_TRUE(verification);
  EXPECT_FALSE(verification->reproduced());
  EXPECT_EQ(to_text(*verification),
            "method           values  passed  failed  not available  unsupported  largest error\n"
            "clopper_pearson       2       1       1              0            0        2.0e-01\n"
            "total                 2       1       1              0            0        2.0e-01\n"
            "\nfailed\n"
            "  c estimate: 0.4, expected 0.5 within 0.1: relative error 2.0e-01\n");
  EXPECT_EQ(
      to_json(*verification),
      R"({"file":"c.jsonl","methods":[{"failed":1,"largest_error":0.19999999999999996,"method":"clopper_pearson","not_available":0,"passed":1,"unsupported":0,"values":2}],)"
      R"("values":[{"case":"c","error":0,"expected":0.4,"got":0.4,"id":"v1","method":"clopper_pearson","quantity":"estimate","rel_tol":0,"status":"passed"},)"
      R"({"case":"c","error":0.19999999999999996,"expected":0.5,"got":0.4,"method":"clopper_pearson","quantity":"estimate","reason":"another number","rel_tol":0.1,"status":"failed"}]})");
}

}  // namespace
}  // namespace equipoise::analysis
