# Rscript make_cases.R > cases.jsonl, in this folder: imputation. See README.md for where the numbers are printed and for the
# tolerances.
source("../case_writer.R")
suppressMessages(library(emmeans))
emm_options(covnames = character(0))

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
  cat(json(list(id = id, method = "reference_based_imputation", data = "imputation/antidepressant.csv", roles = roles,
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

# rbmi 1.5, vignette "Frequentist and information-anchored inference": jump to reference, jackknife, three decimals.
printed <- function(quantity, x, at) value(quantity, x, signif(0.5e-3 / abs(x), 3), at)
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

# CDISC pilot: ADAS-Cog(11) carried forward to week 24 and analysed by lm.
rows <- read.csv("adqsadas.csv", stringsAsFactors = FALSE, colClasses = c(SITEGR1 = "character"))
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
write_case("imputation/locf", "locf", "imputation/adqsadas.csv", list(response = "CHG", subject = "USUBJID", visit = "AVISIT"), expect,
           "lm of the last values; emmeans",
           list(formula = "TRTP + SITEGR1 + BASE",
                levels = list(TRTP = as.list(arms), SITEGR1 = as.list(sites), AVISIT = list("Week 8", "Week 16", "Week 24"))))
# Table 14-3.01 of the study: printed digits
write_case("imputation/locf_published", "locf", "imputation/adqsadas.csv", list(response = "CHG", subject = "USUBJID", visit = "AVISIT"),
           list(value("estimate", -0.5, 0.05 / 0.5, list(difference = list(column = "TRTP", level = arms[2], minus = "Placebo"))),
                value("se", 0.82, 0.005 / 0.82, list(difference = list(column = "TRTP", level = arms[2], minus = "Placebo"))),
                value("p", 0.569, 0.0005 / 0.569, list(difference = list(column = "TRTP", level = arms[2], minus = "Placebo"))),
                value("estimate", -1.0, 0.05, list(difference = list(column = "TRTP", level = arms[3], minus = "Placebo"))),
                value("se", 0.84, 0.005 / 0.84, list(difference = list(column = "TRTP", level = arms[3], minus = "Placebo"))),
                value("p", 0.233, 0.0005 / 0.233, list(difference = list(column = "TRTP", level = arms[3], minus = "Placebo")))),
           "CDISCPILOT01, Table 14-3.01 (values of the public replication by Atorus Research)",
           list(formula = "TRTP + SITEGR1 + BASE",
                levels = list(TRTP = as.list(arms), SITEGR1 = as.list(sites), AVISIT = list("Week 8", "Week 16", "Week 24"))))
