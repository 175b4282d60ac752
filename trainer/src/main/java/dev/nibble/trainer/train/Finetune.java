package dev.nibble.trainer.train;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.data.Batch;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.checkpoint.TrainerState;
import dev.nibble.trainer.evaluation.EvaluationException;
import dev.nibble.trainer.evaluation.ValidationLoss;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.GradientClip;
import dev.nibble.trainer.optim.Optimizer;
import dev.nibble.trainer.optim.Schedule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Trains what {@link CausalLm#parameters} holds: all weights, or adapters on a frozen base. It
 * allocates no tensor memory, so the scope of the model and the optimizer may be sealed before
 * {@link #run}.
 */
public final class Finetune {

  /**
   * What trains and how.
   *
   * @param model to train
   * @param objective that it is trained for
   * @param batches to train on
   * @param optimizer of the model's parameters
   * @param schedule learning rate of each step
   * @param clip limit of the gradients' norm
   * @param validation held-out loss, if there is data for it
   * @param checkpoints where to save, if anywhere
   */
  public record Parts(
      CausalLm model,
      Objective objective,
      BatchSource batches,
      Optimizer optimizer,
      Schedule schedule,
      GradientClip clip,
      Optional<ValidationLoss> validation,
      Optional<Checkpoints> checkpoints) {}

  private final Kernels kernels;
  private final CausalLm model;
  private final Objective objective;
  private final Parameters parameters;
  private final BatchSource batches;
  private final Optimizer optimizer;
  private final Schedule schedule;
  private final GradientClip clip;
  private final Optional<ValidationLoss> validation;
  private final Optional<Checkpoints> checkpoints;
  private final TrainingPlan plan;
  private final StopRequest stop;
  private final Consumer<Report> reports;
  private final Progress progress;
  private final NonFiniteSearch search;
  private final Pace pace = new Pace();
  private Optional<Path> saved = Optional.empty();

  /**
   * A run from the start. Every report goes to {@code reports}, on the thread that calls {@link
   * #run}.
   */
  public Finetune(
      Kernels kernels, Parts parts, TrainingPlan plan, StopRequest stop, Consumer<Report> reports) {
    this.kernels = kernels;
    this.model = parts.model();
    this.objective = parts.objective();
    this.parameters = model.parameters();
    this.batches = parts.batches();
    this.optimizer = parts.optimizer();
    this.schedule = parts.schedule();
    this.clip = parts.clip();
    this.validation = parts.validation();
    this.checkpoints = parts.checkpoints();
    this.plan = plan;
    this.stop = stop;
    this.reports = reports;
    this.search = new NonFiniteSearch(kernels, model, objective);
    this.progress =
        new Progress(
            new TrainerState.Run(
                plan.steps(), plan.accumulation(), plan.seed(), parameters.count()));
  }

  /** Makes {@link #run} go on after a checkpoint's last step, as if it had never stopped. */
  public void resumeFrom(Path checkpoint) {
    Checkpoints from =
        checkpoints.orElseThrow(() -> new IllegalStateException("this run has no checkpoints"));
    TrainerState state = from.restore(checkpoint, progress.run());
    batches.skipTo(new BatchSource.Position(state.dataEpoch(), state.dataBatches()));
    progress.restore(state);
    saved = Optional.of(checkpoint);
    reports.accept(new Report.ResumeReport(state.step(), state));
  }

  /**
   * Trains to the last step, to the evaluation that ends the plan's patience, or to the step during
   * which a stop was requested.
   *
   * @throws TrainingException when a step has no supervised token, more steps than may be are
   *     skipped because their loss or gradient is not finite, or an update made weights that are
   *     not finite
   */
  public Outcome run() {
    if (plan.evaluateOnStart() && progress.step() == 0) {
      validation.ifPresent(this::evaluateStart);
    }
    while (progress.step() < plan.steps() && !isOutOfPatience()) {
      takeStep(progress.step() + 1);
      long step = progress.step();
      boolean best =
          validation.isPresent() && plan.evaluatesAfter(step) && evaluate(validation.get());
      boolean last = step == plan.steps() || isOutOfPatience();
      boolean stops = stop.isRequested();
      if (checkpoints.isPresent() && (last || plan.savesAfter(step) || best || stops)) {
        save(checkpoints.get());
      }
      if (stops && !last) {
        reports.accept(new Report.StopReport(step));
        return new Outcome.Interrupted(step, saved);
      }
    }
    if (progress.step() < plan.steps()) {
      TrainerState.Best best = progress.best();
      reports.accept(
          new Report.EarlyStopReport(
              progress.step(), progress.evaluationsSinceBest(), best.step(), best.loss()));
    }
    return new Outcome.Finished(progress.step(), saved);
  }

  private boolean isOutOfPatience() {
    return plan.patience() > 0 && progress.evaluationsSinceBest() >= plan.patience();
  }

  private void takeStep(long step) {
    long start = System.nanoTime();
    parameters.zeroGradients(kernels);
    List<Batch> taken = new ArrayList<>();
    List<Long> seeds = new ArrayList<>();
    LossSum loss = LossSum.ZERO;
    while (takesMore(taken.size())) {
      Batch batch = batches.next();
      long seed = DropoutSeed.of(plan.seed(), step, taken.size());
      loss = loss.plus(model.accumulate(batch, seed, objective));
      taken.add(batch);
      seeds.add(seed);
    }
    long tokens = taken.stream().mapToLong(Batch::length).sum();
    long supervised = taken.stream().mapToLong(Batch::supervisedTokens).sum();
    StepCheck.learnsSomething(step, loss, tokens);
    kernels.pointwise().scale(parameters.gradients(), 1.0 / loss.terms());
    double norm = clip.apply(parameters.gradients());
    Optional<String> problem = StepCheck.nonFinite(loss, norm);
    if (problem.isPresent()) {
      skip(problem.get(), search.search(taken, seeds), tokens, supervised);
      return;
    }
    double learningRate = schedule.at(step - 1);
    optimizer.update(learningRate);
    checkWeights(step, learningRate);
    report(loss, tokens, supervised, learningRate, norm, seconds(start));
  }

  /**
   * Whether a step that has so many micro-batches takes another. It ends with its epoch: so each
   * epoch's samples count once, and in steps of the same samples however they are divided into
   * micro-batches.
   */
  private boolean takesMore(int taken) {
    return taken == 0 || (taken < plan.accumulation() && !batches.endsEpoch());
  }

  private void skip(String problem, NonFiniteSearch.Finding finding, long tokens, long supervised) {
    progress.afterSkip(tokens, supervised);
    long step = progress.step();
    long skipped = progress.skipped();
    String words = "%s for %s".formatted(problem, finding.words());
    boolean learnedNothing = step == skipped;
    if (learnedNothing && (finding.everySample() || skipped > plan.mostSkipped())) {
      throw TrainingException.nothingToStartFrom(step, words);
    }
    if (skipped > plan.mostSkipped()) {
      checkpoints.ifPresent(this::save);
      throw TrainingException.tooManySkipped(step, words, skipped, saved);
    }
    reports.accept(
        new Report.SkipReport(
            step, plan.steps(), batches.epoch(), words, skipped, plan.mostSkipped()));
  }

  /** An update may overflow, which later steps cannot undo. */
  private void checkWeights(long step, double learningRate) {
    if (!Double.isFinite(clip.norm(parameters.weights()))) {
      throw TrainingException.weightsLost(step, learningRate, saved);
    }
  }

  private void report(
      LossSum loss,
      long tokens,
      long supervised,
      double learningRate,
      double norm,
      double seconds) {
    progress.afterStep(loss.mean(), tokens, supervised);
    reports.accept(
        new Report.StepReport(
            progress.step(),
            plan.steps(),
            batches.epoch(),
            loss.mean(),
            learningRate,
            norm,
            tokens,
            supervised,
            tokens / seconds,
            pace.afterStep(seconds, plan.steps() - progress.step())));
  }

  /** What nothing was learned from is not the best of a run, whatever its loss. */
  private void evaluateStart(ValidationLoss validationLoss) {
    long start = System.nanoTime();
    LossSum loss = validationLoss.measure();
    progress.atStart(loss.mean());
    report(loss, start, false);
  }

  /** Tells whether it is the best so far. */
  private boolean evaluate(ValidationLoss validationLoss) {
    long start = System.nanoTime();
    LossSum loss = measure(validationLoss);
    boolean best = progress.afterEvaluation(loss.mean());
    report(loss, start, best);
    return best;
  }

  private void report(LossSum loss, long start, boolean best) {
    reports.accept(
        new Report.EvaluationReport(
            progress.step(),
            plan.steps(),
            batches.epoch(),
            loss.mean(),
            Math.exp(loss.mean()),
            loss.terms(),
            seconds(start),
            best));
  }

  /** The evaluation with the lowest loss so far. */
  public TrainerState.Best best() {
    return progress.best();
  }

  /** What was learned is kept, whatever the validation data are like. */
  private LossSum measure(ValidationLoss validationLoss) {
    try {
      return validationLoss.measure();
    } catch (EvaluationException e) {
      checkpoints.ifPresent(this::save);
      throw e;
    }
  }

  private void save(Checkpoints to) {
    long start = System.nanoTime();
    Path folder = to.save(progress.state(batches));
    saved = Optional.of(folder);
    reports.accept(new Report.CheckpointReport(progress.step(), folder, seconds(start)));
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
