# What subgroups_test.cpp expects, without this program: Rscript expected.R, in this folder. R 4.2.2; survival 3.5-3, nlme 3.1-162.
suppressPackageStartupMessages({ library(survival); library(nlme) })
show <- function(label, ...) cat(sprintf("%-44s %s\n", label, paste(format(c(...), digits = 15), collapse = " ")))

# colon: Cox's model in each subgroup, begun again at its own answer; likelihood ratio test of the product in one model.
d <- subset(colon, etype == 1); d$arm <- factor(d$rx, c("Obs", "Lev", "Lev+5FU")); d$old <- factor(d$age >= 60)
cox <- function(f, data) { m <- coxph(f, data); for (i in 1:3) m <- coxph(f, data, init = coef(m)); m }
for (s in 0:1) { m <- cox(Surv(time, status) ~ arm, subset(d, sex == s)); show(paste("male", s), coef(m), sqrt(diag(vcov(m)))) }
for (s in c(FALSE, TRUE)) { m <- cox(Surv(time, status) ~ arm, subset(d, old == s)); show(paste("60 or older", s), coef(m), sqrt(diag(vcov(m)))) }
lr <- function(label, item) {
  d$item <- factor(item)
  a <- coxph(Surv(time, status) ~ arm + item, d); b <- suppressWarnings(coxph(Surv(time, status) ~ arm * item, d, control = coxph.control(iter.max = 100)))
  x <- 2 * (b$loglik[2] - a$loglik[2]); df <- length(coef(b)) - length(coef(a)); show(label, x, df, pchisq(x, df, lower.tail = FALSE))
}
lr("product with male", d$sex); lr("product with age", d$old); lr("product with extent", d$extent)

# beat-the-blues, month 8: analysis of covariance of those seen, F test of the product; the model of every visit in each subgroup
# (unstructured, REML), and Cochran's Q of the two differences.
raw <- read.csv("../../../examples/beat-the-blues/btheb.csv")
raw$arm <- factor(raw$treatment, c("TAU", "BtheB")); raw$drug <- factor(raw$drug); raw$length <- factor(raw$length, c("<6m", ">6m"))
raw$band <- cut(raw$bdi.pre, c(-Inf, 20, 30, Inf), right = FALSE)
whole <- lm(bdi.8m ~ arm + bdi.pre + drug + length, raw)
for (item in c("drug", "band")) {
  raw$item <- raw[[item]]
  b <- lm(bdi.8m ~ arm + bdi.pre + drug + length + item + arm:item, raw); a <- update(b, . ~ . - arm:item)
  t <- anova(a, b); show(paste("ancova, product with", item), t$F[2], t$Df[2], t$Res.Df[2], t$`Pr(>F)`[2])
  for (l in levels(raw$item)) {
    m <- lm(bdi.8m ~ arm + bdi.pre + as.numeric(drug) + as.numeric(length), raw, subset = item == l)
    show(paste("ancova in", item, l), coef(summary(m))["armBtheB", 1:2], nobs(m))
  }
}
columns <- paste0("bdi.", c(2, 3, 5, 8), "m")
long <- do.call(rbind, lapply(1:4, function(v) data.frame(id = raw$subject, arm = raw$arm, v = v, bdi = raw[[columns[v]]], base = raw$bdi.pre,
  drug = raw$drug, long = as.numeric(raw$length == ">6m"))))
long <- long[order(long$id, long$v), ]; long$visit <- factor(long$v)
control <- glsControl(tolerance = 1e-13, msTol = 1e-16, maxIter = 500, msMaxIter = 2000, opt = "optim", optimMethod = "BFGS")
found <- sapply(c("No", "Yes"), function(l) {
  m <- gls(bdi ~ arm * visit + base * visit + long, subset(long, !is.na(bdi) & drug == l), correlation = corSymm(form = ~ v | id),
           weights = varIdent(form = ~ 1 | visit), control = control)
  w <- as.numeric(names(coef(m)) %in% c("armBtheB", "armBtheB:visit4"))
  c(sum(w * coef(m)), sqrt(drop(t(w) %*% vcov(m) %*% w)))
})
print(format(found, digits = 15))
w <- 1 / found[2, ]^2; q <- sum(w * (found[1, ] - sum(w * found[1, ]) / sum(w))^2)
show("Q of model standard errors", q, pchisq(q, 1, lower.tail = FALSE))
