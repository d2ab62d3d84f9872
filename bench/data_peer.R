# What bench/data.py asks of R: the file read by data.table, the first response at a visit, Kaplan-Meier by arm of survival.
# Rscript --vanilla bench/data_peer.R FILE THREADS; one line of JSON
suppressPackageStartupMessages({library(data.table); library(survival)})
words <- commandArgs(trailingOnly = TRUE)
setDTthreads(as.integer(words[2]))
clock <- function() proc.time()[["elapsed"]]
began <- clock()
d <- fread(words[1]); read <- clock()
d <- d[PARAMCD == "CD4"]
d[, day := ADY - 1L]
first <- d[AVISITN > 0 & AVAL >= 1.3 * BASE, .(first = min(day)), by = USUBJID]
s <- d[, .(last = max(day), arm = TRT01P[1]), by = USUBJID]
s[first, on = "USUBJID", first := i.first]
s[, event := as.integer(!is.na(first))]
s[, time := fifelse(event == 1L, first, last)]
derived <- clock()
fit <- survfit(Surv(time, event) ~ arm, data = s); done <- clock()
arm <- rep(sub("arm=", "", names(fit$strata)), fit$strata)
numbers <- function(x) paste0("[", paste(formatC(x, digits = 17, width = 1), collapse = ","), "]")
curves <- sapply(unique(arm), function(a) sprintf('"%s":{"time":%s,"survival":%s}', a, numbers(fit$time[arm == a]), numbers(fit$surv[arm == a])))
cat(sprintf('{"fread":%.3f,"derive":%.3f,"survfit":%.3f,"version":"%s","curves":{%s}}\n', read - began, derived - read, done - derived,
            as.character(packageVersion("data.table")), paste(curves, collapse = ",")))
