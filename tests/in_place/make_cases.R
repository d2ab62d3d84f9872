# Rscript make_cases.R > cases.jsonl, in this folder, with EQUIPOISE_SHARED naming the folder of the data, which are not shipped. See
# README.md for where the numbers are printed and for the tolerances.
source("../reference/case_writer.R")
source("../reference/repeated/dense.R")
source("../reference/repeated/imputation.R")
suppressMessages({library(lmerTest); library(emmeans)})
emm_options(covnames = character(0), lmerTest.limit = 1e4, pbkrtest.limit = 1e4)
source_of <- function(call) call
shared <- Sys.getenv("EQUIPOISE_SHARED", "../../../shared")
in_errors <- function(digits, x, se) signif(digits * max(1, se / abs(x)), 2)  # an estimate near 0 has no relative accuracy

# Antidepressant trial. DRUG less PLACEBO at a visit.
visits <- list("4", "5", "6", "7")
options <- list(reference = "PLACEBO", formula = "BASVAL * VISIT + THERAPY * VISIT",
                levels = list(THERAPY = list("PLACEBO", "DRUG"), VISIT = visits), covariance = "unstructured",
                analysis_formula = "THERAPY + BASVAL")
roles <- list(response = "CHANGE", subject = "PATIENT", visit = "VISIT", group = "THERAPY", ice = "ICE")
difference <- function(visit)
  list(difference = list(column = "THERAPY", level = "DRUG", minus = "PLACEBO"), within = list(VISIT = visit))
mean_of <- function(arm, visit) list(lsmean = list(THERAPY = arm, VISIT = visit))
case <- function(id, expect, source, ...) {
  cat(json(list(id = id, method = "reference_based_imputation", data = "reference/cases/antidepressant_grid.csv", roles = roles,
                options = c(list(...), options),
                expect = lapply(seq_along(expect), function(i) c(list(id = sprintf("%s/%d", id, i)), expect[[i]])),
                source = source)), "\n", sep = "")
}

# The "five macros" in SAS, 10000 draws: estimate, standard error and Monte Carlo standard error at visits 5, 6, 7.
sas <- list(
  mar = list(c(-1.40782, 0.92470, .002122018), c(-2.22320, 0.99971, .002982167), c(-2.79516, 1.11445, .004112952)),
  copy_increments_in_reference = list(c(-1.30068, 0.92567, .002007340), c(-2.01133, 0.99971, .002795992), c(-2.44592, 1.10742, .003671591)),
  copy_reference = list(c(-1.29901, 0.92578, .002014402), c(-1.97458, 0.99955, .002799947), c(-2.36644, 1.10747, .003659039)),
  jump_to_reference = list(c(-1.30490, 0.92665, .002051476), c(-1.92600, 1.00183, .002854680), c(-2.12426, 1.12750, .003998859)))
said <- "SAS, the five macros of the DIA working group (results_SAS.pdf in insightsengineering/rbmi, misc/antidepressant_analysis)"
samples <- 1000
for (strategy in names(sas)) {
  drawn <- list(value("estimate", 0.09181, 0.5e-5 / 0.09181, difference("4")), value("se", 0.68263, 0.5e-5 / 0.68263, difference("4")))
  means <- list()
  for (j in 1:3) {
    got <- sas[[strategy]][[j]]
    both <- got[3] * sqrt(1 + 10000 / samples)
    drawn <- c(drawn, list(value("estimate", got[1], signif(4 * both / abs(got[1]), 3), difference(visits[[j + 1]])),
                           value("se", got[2], 0.012, difference(visits[[j + 1]]))))
    means <- c(means, list(value("estimate", got[1], signif(4 * got[3] / abs(got[1]), 3), difference(visits[[j + 1]]))))
  }
  case(paste0("imputation/sas_", strategy), drawn, said, strategy = strategy, variance = "bayes", samples = samples, thin = 5)
  case(paste0("imputation/sas_means_", strategy), means, said, strategy = strategy)
}
case("imputation/sas_model", list(value("neg2_log_likelihood", 3494.20285008, 1e-11)), paste(said, "PROC MIXED, iteration 4"),
     strategy = "mar")

# rbmi 1.5, vignette "Frequentist and information-anchored inference": jump to reference, jackknife, three decimals. Half the last digit
# is 0.0005. rbmi's fits stop where mmrm stops by default, 3e-5 short of the optimum: its lower limit for placebo at visit 7 is
# -6.332533, which it prints as -6.333, and that of the optimum is -6.332454 (the dense case below): another 0.0001.
printed <- function(quantity, x, at) value(quantity, x, signif((0.5e-3 + 1e-4) / abs(x), 3), at)
table_of <- function(rows) unlist(lapply(rows, function(r) {
  at <- if (r[[1]] == "difference") difference(r[[2]]) else mean_of(r[[1]], r[[2]])
  sign <- if (r[[1]] == "difference") -1 else 1  # printed as placebo less drug
  limits <- if (sign < 0) c("upper", "lower") else c("lower", "upper")
  list(printed("estimate", sign * r[[3]], at), printed("se", r[[4]], at), printed(limits[1], sign * r[[5]], at),
       printed(limits[2], sign * r[[6]], at))
}), recursive = FALSE)
repeated <- list(list("difference", "5", 1.305, 0.878, -0.416, 3.027), list("DRUG", "5", -4.133, 0.688, -5.481, -2.785),
                 list("PLACEBO", "5", -2.828, 0.604, -4.011, -1.645), list("difference", "6", 1.929, 0.862, 0.239, 3.619),
                 list("DRUG", "6", -6.088, 0.671, -7.402, -4.773), list("PLACEBO", "6", -4.159, 0.686, -5.503, -2.815),
                 list("difference", "7", 2.126, 0.858, 0.444, 3.807), list("DRUG", "7", -6.965, 0.685, -8.307, -5.622),
                 list("PLACEBO", "7", -4.839, 0.762, -6.333, -3.346))
anchored <- list(list("difference", "5", 1.305, 0.944, -0.545, 3.156), list("DRUG", "5", -4.133, 0.738, -5.579, -2.687),
                 list("PLACEBO", "5", -2.828, 0.603, -4.01, -1.646), list("difference", "6", 1.929, 0.993, -0.018, 3.876),
                 list("DRUG", "6", -6.088, 0.758, -7.574, -4.602), list("PLACEBO", "6", -4.159, 0.686, -5.504, -2.813),
                 list("difference", "7", 2.126, 1.123, -0.076, 4.327), list("DRUG", "7", -6.965, 0.85, -8.63, -5.299),
                 list("PLACEBO", "7", -4.839, 0.763, -6.335, -3.343))
vignette <- "R package rbmi 1.5, vignette CondMean_Inference, method_condmean(type = \"jackknife\")"
case("imputation/rbmi_jackknife", table_of(repeated), vignette, strategy = "jump_to_reference")
case("imputation/rbmi_anchored", table_of(anchored), vignette, strategy = "jump_to_reference", errors = "information_anchored")

# The same jackknife by dense matrices, each patient left out in turn.
grid <- read.csv(file.path(shared, "reference/cases/antidepressant_grid.csv"))
levels_of <- list(treatment = c("PLACEBO", "DRUG"), visit = unlist(visits))
patients <- data.frame(subject = grid$PATIENT, visit = factor(grid$VISIT, levels_of$visit), treatment = factor(grid$THERAPY, levels_of$treatment),
                       pre = grid$BASVAL, change = grid$CHANGE, event = grid$ICE)
patients <- patients[order(patients$subject, patients$visit), ]
strategies <- c("mar", "jump_to_reference", "copy_reference", "copy_increments_in_reference")
j <- jackknife(patients, "change", "pre * visit + treatment * visit", "treatment + pre", "PLACEBO", strategies, TRUE, rep(6, 4))
for (strategy in strategies) {
  expect <- list(value("neg2_log_likelihood", j$neg2, 1e-12))
  for (v in 2:4) for (i in 1:3) {
    b <- j$estimate[3 * (v - 1) + i, strategy]; se <- j$se[3 * (v - 1) + i, strategy]
    at <- if (i < 3) mean_of(levels_of$treatment[i], visits[[v]]) else difference(visits[[v]])
    expect <- c(expect, list(value("estimate", b, in_errors(1e-8, b, se), at), value("se", se, 1e-7, at),
                             value("lower", b - qnorm(0.975) * se, in_errors(1e-7, b - qnorm(0.975) * se, se), at)))
  }
  case(paste0("imputation/dense_", strategy), expect, "../reference/repeated/imputation.R", strategy = strategy)
}

# CDISC pilot: ADAS-Cog(11) carried forward to week 24 and analysed by lm.
rows <- read.csv(file.path(shared, "reference/cases/adqsadas_visits.csv"), stringsAsFactors = FALSE, colClasses = c(SITEGR1 = "character"))
arms <- c("Placebo", "Xanomeline Low Dose", "Xanomeline High Dose")
sites <- sort(unique(rows$SITEGR1))
last <- do.call(rbind, lapply(split(rows, rows$USUBJID), function(r) {
  r <- r[order(match(r$AVISIT, c("Week 8", "Week 16", "Week 24"))), ]
  r[nrow(r), ]
}))
last$TRTP <- factor(last$TRTP, arms)
last$SITEGR1 <- factor(last$SITEGR1, sites)
fit <- lm(CHG ~ TRTP + SITEGR1 + BASE, last)
means <- emmeans(fit, "TRTP", cov.reduce = mean)
s <- as.data.frame(means)
d <- as.data.frame(summary(contrast(means, "revpairwise"), infer = TRUE, adjust = "none"))
expect <- list(value("n_observations", nrow(last), 0), value("n_imputed", sum(last$AVISIT != "Week 24"), 0),
               value("residual_sd", sigma(fit), 1e-11))
for (i in 1:3) {
  at <- list(lsmean = list(TRTP = arms[i]))
  expect <- c(expect, list(value("estimate", s$emmean[i], 1e-10, at), value("se", s$SE[i], 1e-11, at)))
}
for (i in 1:2) {
  at <- list(difference = list(column = "TRTP", level = arms[i + 1], minus = "Placebo"))
  expect <- c(expect, list(value("estimate", d$estimate[i], 1e-9, at), value("se", d$SE[i], 1e-11, at),
                           value("p", d$p.value[i], 1e-9, at), value("lower", d$lower.CL[i], 1e-9, at),
                           value("upper", d$upper.CL[i], 1e-9, at)))
}
write_case("imputation/locf", "locf", "reference/cases/adqsadas_visits.csv", list(response = "CHG", subject = "USUBJID", visit = "AVISIT"), expect,
           "lm of the last values; emmeans",
           list(formula = "TRTP + SITEGR1 + BASE",
                levels = list(TRTP = as.list(arms), SITEGR1 = as.list(sites), AVISIT = list("Week 8", "Week 16", "Week 24"))))
# Table 14-3.01 of the study: printed digits
write_case("imputation/locf_published", "locf", "reference/cases/adqsadas_visits.csv", list(response = "CHG", subject = "USUBJID", visit = "AVISIT"),
           list(value("estimate", -0.5, 0.05 / 0.5, list(difference = list(column = "TRTP", level = arms[2], minus = "Placebo"))),
                value("se", 0.82, 0.005 / 0.82, list(difference = list(column = "TRTP", level = arms[2], minus = "Placebo"))),
                value("p", 0.569, 0.0005 / 0.569, list(difference = list(column = "TRTP", level = arms[2], minus = "Placebo"))),
                value("estimate", -1.0, 0.05, list(difference = list(column = "TRTP", level = arms[3], minus = "Placebo"))),
                value("se", 0.84, 0.005 / 0.84, list(difference = list(column = "TRTP", level = arms[3], minus = "Placebo"))),
                value("p", 0.233, 0.0005 / 0.233, list(difference = list(column = "TRTP", level = arms[3], minus = "Placebo")))),
           "CDISCPILOT01, Table 14-3.01 (values of the public replication by Atorus Research)",
           list(formula = "TRTP + SITEGR1 + BASE",
                levels = list(TRTP = as.list(arms), SITEGR1 = as.list(sites), AVISIT = list("Week 8", "Week 16", "Week 24"))))

# Repeated measures of the same trial. SAS PROC MIXED, TYPE=UN, DDFM=KR: week 24, four decimals.
in_r <- rows
in_r$TRTP <- factor(in_r$TRTP, arms)
in_r$AVISIT <- factor(in_r$AVISIT, c("Week 8", "Week 16", "Week 24"))
in_r$AVISITN <- c(8, 16, 24)[as.integer(in_r$AVISIT)]
pilot <- "TRTP + SITEGR1 + AVISIT + TRTP:AVISIT + BASE + BASE:AVISIT"
pilot_levels <- list(TRTP = as.list(arms), SITEGR1 = as.list(sites), AVISIT = list("Week 8", "Week 16", "Week 24"))
week_24 <- list(AVISIT = "Week 24")
four <- function(quantity, x, at) value(quantity, x, signif(0.5e-4 / abs(x), 3), at)
less <- function(arm, minus) list(column = "TRTP", level = arm, minus = minus)
expect <- c(lapply(1:3, function(i) four("estimate", c(2.3291, 1.7352, 1.5009)[i], list(lsmean = list(TRTP = arms[i], AVISIT = "Week 24")))),
            lapply(1:2, function(i) four("p", c(0.5600, 0.4403)[i], list(difference = less(arms[i + 1], "Placebo"), within = week_24))))
write_case("repeated/pilot_week_24", "mmrm", "reference/cases/adqsadas_visits.csv", list(response = "CHG", subject = "USUBJID", visit = "AVISIT"),
           expect, "SAS PROC MIXED, TYPE=UN, DDFM=KR (atorus-research/CDISC_pilot_replication, issue 6)",
           list(formula = pilot, levels = pilot_levels, covariance = "unstructured", df = "kenward_roger_linear"))

# Table 14-3.11 is titled week 24 and averages the visits; its numbers are those of a random intercept and slope in weeks, whose optimum is
# on the boundary, and not of an unstructured covariance. lme4 stops near it, and pbkrtest takes the parameters of a singular fit for
# free, so that their errors are some 4e-4 from those of the model of the rank found.
model <- lmer(as.formula(paste("CHG ~", pilot, "+ (AVISITN | USUBJID)")), in_r)
means <- emmeans(model, "TRTP", cov.reduce = mean)
s <- as.data.frame(means)
d <- as.data.frame(summary(contrast(means, "revpairwise", adjust = "none"), infer = TRUE))
expect <- unlist(lapply(1:3, function(i) {
  at <- list(lsmean = list(TRTP = arms[i]))
  list(value("estimate", s$emmean[i], in_errors(5e-4, s$emmean[i], s$SE[i]), at), value("se", s$SE[i], 1e-3, at))
}), recursive = FALSE)
for (k in 1:3) {
  at <- list(difference = list(less(arms[2], arms[1]), less(arms[3], arms[1]), less(arms[3], arms[2]))[[k]])
  expect <- c(expect, list(value("estimate", d$estimate[k], in_errors(5e-4, d$estimate[k], d$SE[k]), at), value("se", d$SE[k], 1e-3, at),
                           value("p", d$p.value[k], 1e-3, at), value("lower", d$lower.CL[k], in_errors(1e-3, d$lower.CL[k], d$SE[k]), at),
                           value("upper", d$upper.CL[k], in_errors(1e-3, d$upper.CL[k], d$SE[k]), at)))
}
observed <- c(list(list(column = "PARAMCD", is = "ACTOT")), lapply(c("EFFFL", "ITTFL", "ANL01FL"), function(flag) list(column = flag, is = "Y")),
              list(list(column = "AVISITN", min = 1), list(column = "DTYPE", present = FALSE)))
write_case("repeated/pilot_table_14_3_11", "linear_mixed", "data/cdisc-pilot/adqsadas.csv", list(response = "CHG", subject = "USUBJID"), expect,
           sprintf("lme4 %s, pbkrtest %s, emmeans", packageVersion("lme4"), packageVersion("pbkrtest")),
           list(formula = pilot, levels = pilot_levels, random = list("1", "AVISITN"), df = "kenward_roger"), observed)

# FEV: the difference at the first visit. mmrm 0.3.18 stops at 3.77423; the optimum is 3.774414, by dense matrices too.
fev <- read.csv(file.path(shared, "data/fev/fev_data.csv"), stringsAsFactors = FALSE)
fev <- fev[!is.na(fev$FEV1), ]
x <- model.matrix(~ RACE + SEX + ARMCD * AVISIT, fev)
f <- fit_dense(gather(x, fev$FEV1, fev$USUBJID, match(fev$AVISIT, paste0("VIS", 1:4)), 4), structure_of("unstructured", 4, rep(6, 4)))
own <- which(colnames(x) == "ARMCDTRT")
stopifnot(abs(f$b[own] - 3.774414) < 0.5e-6)
treatment <- list(term = list(list(column = "ARMCD", level = "TRT")))
write_case("repeated/fev", "mmrm", "data/fev/fev_data.csv", list(response = "FEV1", subject = "USUBJID", visit = "AVISIT"),
           list(value("estimate", f$b[own], 1e-8, treatment), value("se", sqrt(f$phi[own, own]), 1e-8, treatment),
                value("neg2_log_likelihood", f$neg2, 1e-12)),
           "../reference/repeated/dense.R",
           list(formula = "RACE + SEX + ARMCD * AVISIT",
                levels = list(RACE = list("Asian", "Black or African American", "White"), SEX = list("Female", "Male"), ARMCD = list("PBO", "TRT"),
                              AVISIT = as.list(paste0("VIS", 1:4))), covariance = "unstructured"))

# ACTG 193A, the slopes that Fitzmaurice, Laird and Ware (2011), Applied Longitudinal Analysis, print. The test makes the file that the
# case names: (week - 16)+ and products with the triple therapy. lme4 and nlme have the same likelihood to 1e-11 and the residual variance to 3e-6.
four_decimals <- function(x) signif(0.5e-4 / abs(x), 3)
slopes <- list(list(NULL, 2.9415), list("week", -0.0073), list("late", -0.0120), list("triple_week", 0.0269), list("triple_late", -0.0277))
expect <- lapply(slopes, function(one) value("estimate", one[[2]], four_decimals(one[[2]]), list(term = if (is.null(one[[1]])) list() else list(list(column = one[[1]])))))
actg <- read.csv(file.path(shared, "data/actg193a/cd4.csv"))
actg$late <- pmax(actg$week - 16, 0)
actg$triple_week <- (actg$group == 4) * actg$week
actg$triple_late <- (actg$group == 4) * actg$late
model <- lmer(logcd4 ~ week + late + triple_week + triple_late + (week + late | id), actg,
              control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9, maxfun = 1e5)))
expect <- c(expect, list(value("neg2_log_likelihood", -2 * c(logLik(model)), 1e-11), value("residual_variance", sigma(model)^2, 1e-5)))
write_case("repeated/actg193a", "linear_mixed", "derived/actg193a.csv", list(response = "logcd4", subject = "id"), expect,
           sprintf("Fitzmaurice, Laird and Ware (2011); lme4 %s", packageVersion("lme4")),
           list(formula = "week + late + triple_week + triple_late", random = list("1", "week", "late")))
