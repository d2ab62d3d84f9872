// Data files from one format into another, and analyses of the same data in every format.

#include <zlib.h>

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string infections = (source_dir / "examples/cgd/cgd.csv").string();

Ran convert(Folder const& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "convert");
  return equipoise(std::move(arguments), {.folder = folder.path});
}

/// The results without what says which file they are of.
json results_of(fs::path const& folder, std::string const& data) {
  const Ran ran = equipoise({"analyse", cgd, "--data", data, "--json"}, {.folder = folder});
  EXPECT_EQ(ran.status, 0) << ran.err;
  json results = ran.answer();
  json& provenance = results.at("provenance");
  EXPECT_EQ(provenance.at("data_file"), data);
  provenance.erase("data_file");
  provenance.erase("data_digest");
  return results;
}

TEST(Convert, AnalysesGiveTheSameResultsInEveryFormat) {
  const Folder folder;
  fs::copy_file(infections, folder.path / "cgd.csv");
  const json expected = results_of(folder.path, "cgd.csv");
  for (const std::string name : {"cgd.xpt", "cgd.json", "cgd.ndjson", "cgd.dsjc"}) {
    const Ran made = convert(folder, {"cgd.csv", name});
    ASSERT_EQ(made.status, 0) << made.err;
    EXPECT_THAT(made.out, AllOf(HasSubstr("CGD: 203 rows, 16 columns\n"), HasSubstr(name)));
    EXPECT_EQ(results_of(folder.path, name), expected) << name;
  }
}

/// SAS keeps dates as numbers; what a person sees and what an analysis reads are dates all the same.
TEST(Convert, DatesHeldAsNumbersAreDatesOfTheAnalysis) {
  const Folder folder;
  fs::copy_file(infections, folder.path / "cgd.csv");
  ASSERT_EQ(convert(folder, {"cgd.csv", "typed.csv"}).status, 0);
  const fs::path sidecar = folder.path / "typed.csv.json";
  write(sidecar, with(contents(sidecar), "\"dataType\":\"date\"",
                      "\"dataType\":\"date\", \"targetDataType\":\"integer\", \"displayFormat\":\"DATE9.\""));
  const Ran made = convert(folder, {"typed.csv", "cgd.xpt"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(contents(folder.path / "cgd.xpt"), HasSubstr("DATE    "));
  EXPECT_EQ(results_of(folder.path, "cgd.xpt"), results_of(folder.path, "cgd.csv"));
}

TEST(Convert, ComesBackThroughEveryFormatWithTheSameBytes) {
  const Folder folder;
  ASSERT_EQ(convert(folder, {infections, "a.csv"}).status, 0);
  for (const std::string name : {"a.json", "a.ndjson", "a.dsjc", "a.xpt"}) {
    ASSERT_EQ(convert(folder, {"a.csv", name}).status, 0) << name;
    ASSERT_EQ(convert(folder, {name, "back.csv", "--force"}).status, 0) << name;
    EXPECT_EQ(contents(folder.path / "back.csv"), contents(folder.path / "a.csv")) << name;
    ASSERT_EQ(convert(folder, {name, "again" + name.substr(1)}).status, 0) << name;
    EXPECT_EQ(contents(folder.path / ("again" + name.substr(1))), contents(folder.path / name)) << name;
  }
}

TEST(Convert, ReplacesNothingUnasked) {
  const Folder folder;
  write(folder.path / "x.csv", "a\n1\n");
  write(folder.path / "y.xpt", "precious");
  const Ran refused = convert(folder, {"x.csv", "y.xpt"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("'y.xpt' exists already\n  hint: give another name, or --force to replace it"));
  EXPECT_EQ(contents(folder.path / "y.xpt"), "precious");
  EXPECT_EQ(convert(folder, {"x.csv", "y.xpt", "--force"}).status, 0);
  EXPECT_EQ(contents(folder.path / "y.xpt").size() % 80, 0u);
}

TEST(Convert, ChangesNothingUnaskedAndSaysWhatItChanged) {
  const Folder folder;
  write(folder.path / "x.csv", "participant,text\n1,na\u00efve\n2,b\n");
  const Ran refused = convert(folder, {"x.csv", "x.xpt"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("column 'participant': the name has 11 bytes, and was cut to 8"),
                                 HasSubstr("column 'text': 1 cell: texts have characters beyond ASCII"),
                                 HasSubstr("nothing was written"), HasSubstr("--allow-loss")));
  EXPECT_EQ(folder.all(), (std::vector<std::string>{"x.csv"}));
  const Ran allowed = convert(folder, {"x.csv", "x.xpt", "--allow-loss"});
  EXPECT_EQ(allowed.status, 0);
  EXPECT_THAT(allowed.err, HasSubstr("warning: column 'participant': the name has 11 bytes, and was cut to 8"));
  const Ran told = convert(folder, {"x.csv", "x.xpt", "--allow-loss", "--force", "--json"});
  EXPECT_EQ(told.answer().at("data_sets").at(0).at("rows"), 2);
  EXPECT_EQ(told.answer().at("losses").at(0).at("column"), "participant");
  EXPECT_EQ(told.answer().at("losses").at(0).at("changes"), true);
}

TEST(Convert, NamesWhatItCannotDo) {
  const Folder folder;
  write(folder.path / "x.csv", "a\n1\n");
  const auto fails = [&](std::vector<std::string> arguments, int status, std::string const& sentence) {
    const Ran ran = convert(folder, arguments);
    EXPECT_EQ(ran.status, status) << sentence;
    EXPECT_THAT(ran.err, HasSubstr(sentence));
  };
  fails({"x.csv", "x.sas7bdat"}, 2,
        "the name 'x.sas7bdat' does not say its format: names end in .csv, .xpt, .json, .ndjson or .dsjc");
  fails({"x.csv", "x.out", "--to", "excel"}, 2, "--to takes csv, xpt, json, ndjson or dsjc, not 'excel'");
  fails({"x.csv", "x.xpt", "--encoding", "ebcdic"}, 2, "--encoding takes utf-8, windows-1252 or latin1");
  fails({"x.csv", "x.xpt", "--member", "Y"}, 2, "there is no data set 'Y'");
  fails({"none.xpt", "x.xpt"}, 1, "cannot read 'none.xpt'");
  write(folder.path / "broken.xpt", std::string(100, 'x'));
  fails({"broken.xpt", "x.json"}, 3, "broken.xpt: record 1, byte 1: here the library header record");
  EXPECT_EQ(convert(folder, {"x.csv", "x.out", "--to", "xpt"}).status, 0);
  EXPECT_EQ(convert(folder, {"x.out", "x2.csv", "--from", "xpt"}).status, 0);
}

TEST(Convert, TakesOneDataSetOfSeveral) {
  const Folder folder;
  for (const char* name : {"one", "two"}) {
    write(folder.path / (std::string(name) + ".csv"), "a\n1\n");
    ASSERT_EQ(convert(folder, {std::string(name) + ".csv", std::string(name) + ".xpt"}).status, 0);
  }
  write(folder.path / "both.xpt", contents(folder.path / "one.xpt") + contents(folder.path / "two.xpt").substr(240));
  const Ran both = convert(folder, {"both.xpt", "both.json"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.err,
              HasSubstr("there are 2 data sets: ONE, TWO\n  hint: this format takes one data set: name it with --member"));
  EXPECT_EQ(convert(folder, {"both.xpt", "two.json", "--member", "TWO"}).status, 0);
  EXPECT_EQ(json::parse(contents(folder.path / "two.json")).at("name"), "TWO");
  EXPECT_EQ(convert(folder, {"both.xpt", "copy.xpt"}).status, 0);
  EXPECT_EQ(contents(folder.path / "copy.xpt"), contents(folder.path / "both.xpt"));
  const Ran analysed = equipoise({"analyse", cgd, "--data", "both.xpt"}, {.folder = folder.path});
  EXPECT_THAT(analysed.err, HasSubstr("both.xpt: there are 2 data sets: ONE, TWO"));
}

TEST(Convert, ProblemsOfTheDataNameTheirRow) {
  const Folder folder;
  std::string rows = contents(infections);
  write(folder.path / "bad.csv", with(rows, "rIFN-g", "rIFN"));
  ASSERT_EQ(convert(folder, {"bad.csv", "bad.xpt"}).status, 0);
  const Ran csv = equipoise({"analyse", cgd, "--data", "bad.csv"}, {.folder = folder.path});
  const Ran xpt = equipoise({"analyse", cgd, "--data", "bad.xpt"}, {.folder = folder.path});
  EXPECT_EQ(csv.status, 3);
  EXPECT_EQ(xpt.status, 3);
  EXPECT_THAT(csv.err, HasSubstr("bad.csv:2: column 'treat': 'rIFN' is no arm"));
  EXPECT_THAT(xpt.err, AllOf(HasSubstr("bad.xpt: column 'treat': row 1: 'rIFN' is no arm"), HasSubstr("in row 1"),
                             Not(HasSubstr("line"))));
}

/// zlib's own inflate takes what is written, as a zlib stream (RFC 1950) and not as gzip.
TEST(Convert, CompressesAsTheStandardAsks) {
  const Folder folder;
  ASSERT_EQ(convert(folder, {infections, "a.dsjc"}).status, 0);
  ASSERT_EQ(convert(folder, {infections, "a.ndjson"}).status, 0);
  const std::string packed = contents(folder.path / "a.dsjc"), plain = contents(folder.path / "a.ndjson");
  std::string out(plain.size(), '\0');
  uLongf size = out.size();
  ASSERT_EQ(
      ::uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size()),
      Z_OK);
  EXPECT_EQ(out.substr(0, size), plain);
}

/// Two readers of their own see what we wrote: R's haven (libreadstat) the labels, formats, special missing values and exact
/// numbers, R's foreign the lengths.
TEST(Convert, SasTransportFilesOpenInHaven) {
  if (std::system("Rscript -e 'library(haven); library(foreign)' >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "R with haven and foreign is not installed (r-cran-haven, r-cran-foreign)";
  const Folder folder;
  write(folder.path / "vs.csv",
        "USUBJID,AVAL,ADT,ADTM,N\n01-001,36.600000000000001,2014-01-02,2014-01-02T08:30:00,1\n,.A,,,-12345678\nx,._,1959-12-31,"
        "1959-12-31T23:59:59,\n\"y \",,2020-02-29,2020-02-29T00:00:00,0\n");
  write(folder.path / "vs.csv.json",
        R"({"datasetJSONCreationDateTime":"2024-11-11T15:09:13","datasetJSONVersion":"1.1","itemGroupOID":"IG.VS",
    "records":4,"name":"VS","label":"Vital Signs of Everybody","columns":[
    {"itemOID":"a","name":"USUBJID","label":"Unique Subject Identifier","dataType":"string","length":20},
    {"itemOID":"b","name":"AVAL","label":"Analysis Value","dataType":"float","displayFormat":"8.2"},
    {"itemOID":"c","name":"ADT","label":"Analysis Date","dataType":"date","targetDataType":"integer","displayFormat":"DATE9."},
    {"itemOID":"d","name":"ADTM","label":"Analysis Datetime","dataType":"datetime","targetDataType":"integer","displayFormat":"DATETIME20."},
    {"itemOID":"e","name":"N","label":"Number","dataType":"integer","bytes":5}]})");
  const Ran made = convert(folder, {"vs.csv", "vs.xpt"});
  ASSERT_EQ(made.status, 0) << made.err;
  write(folder.path / "look.R", R"(suppressMessages(library(haven))
d <- read_xpt("vs.xpt")
say <- function(...) cat(..., "\n", sep = "|")
say(nrow(d), ncol(d), attr(d, "label"))
for (n in names(d)) say(n, attr(d[[n]], "label"), c(attr(d[[n]], "format.sas"), "")[1], class(d[[n]])[1])
say(d$USUBJID)
say(trimws(format(d$AVAL, digits = 17))); say(na_tag(d$AVAL))
say(format(d$ADT)); say(format(d$ADTM, "%Y-%m-%dT%H:%M:%S", tz = "UTC")); say(trimws(format(d$N)))
v <- foreign::lookup.xport("vs.xpt")$VS
say(v$width); say(v$position)
)");
  const std::string command = "cd '" + folder.path.string() + "' && Rscript look.R > seen.txt 2> errors.txt";
  ASSERT_EQ(std::system(command.c_str()), 0) << contents(folder.path / "errors.txt");
  EXPECT_EQ(contents(folder.path / "seen.txt"),
            "4|5|Vital Signs of Everybody|\n"
            "USUBJID|Unique Subject Identifier||character|\n"
            "AVAL|Analysis Value|8.2|numeric|\n"
            "ADT|Analysis Date|DATE9|Date|\n"
            "ADTM|Analysis Datetime|DATETIME20|POSIXct|\n"
            "N|Number||numeric|\n"
            "01-001||x|y|\n"
            "36.600000000000001|NA|NA|NA|\n"
            "NA|a|_|NA|\n"
            "2014-01-02|NA|1959-12-31|2020-02-29|\n"
            "2014-01-02T08:30:00|NA|1959-12-31T23:59:59|2020-02-29T00:00:00|\n"
            "1|-12345678|NA|0|\n"
            "20|8|8|8|5|\n"
            "0|20|28|36|44|\n");
}

}  // namespace
}  // namespace equipoise::e2e
