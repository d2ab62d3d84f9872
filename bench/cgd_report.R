# The numbers of examples/cgd/protocol.toml in R, for timing: Rscript bench/cgd_report.R examples/cgd/cgd.csv
# Prints, last, the seconds from reading the file to the last number, without the start of R and the loading of the package.
suppressPackageStartupMessages(library(survival))
started <- proc.time()[["elapsed"]]

rows <- read.csv(commandArgs(trailingOnly = TRUE)[1], stringsAsFactors = TRUE)
rows$treat <- relevel(rows$treat, "placebo")
first <- rows[rows$enum == 1, ]

print(survdiff(Surv(tstop, status) ~ treat, first))
print(summary(coxph(Surv(tstop, status) ~ treat, first, ties = "efron")))
curve <- survfit(Surv(tstop, status) ~ treat, first, conf.type = "log-log")
print(summary(curve, times = c(90, 180, 270, 360), extend = TRUE))
print(quantile(curve, c(0.25, 0.5)))
print(summary(coxph(Surv(tstop, status) ~ treat + strata(inherit), first)))
with_infection <- table(first$treat, first$status)
for (arm in rownames(with_infection)) print(binom.test(with_infection[arm, "1"], sum(with_infection[arm, ])))
print(fisher.test(with_infection))
print(summary(coxph(Surv(tstart, tstop, status) ~ treat, rows, cluster = id)))
for (column in c("age", "height", "weight")) print(tapply(first[[column]], first$treat, summary))
for (column in c("sex", "inherit", "steroids", "propylac")) print(table(first[[column]], first$treat))

cat("\nseconds", proc.time()[["elapsed"]] - started, "\n")
