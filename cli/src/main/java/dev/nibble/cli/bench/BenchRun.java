package dev.nibble.cli.bench;

import com.sun.management.ThreadMXBean;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.api.machine.ResidentMemory;
import dev.nibble.api.planning.CheckpointingChoice;
import dev.nibble.api.planning.FreeMemory;
import dev.nibble.api.text.Human;
import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.MatrixRate;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.named.FormatNames;
import dev.nibble.recipes.recipe.Machine;
import dev.nibble.recipes.schema.AutoFlag;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.MatrixWork;
import dev.nibble.trainer.model.build.RandomModel;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.objective.NextTokenLoss;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import dev.nibble.trainer.optim.Schedule;
import dev.nibble.trainer.train.Finetune;
import dev.nibble.trainer.train.Report;
import dev.nibble.trainer.train.StopRequest;
import dev.nibble.trainer.train.TrainingPlan;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * {@code nibble bench}: how long a QLoRA step takes on this machine, by the loop that {@code train}
 * runs, on a model of random weights: rank 16 on all linear layers, AdamW, gradient checkpointing.
 */
public final class BenchRun {
  private static final LoraSpec ADAPTER = new LoraSpec(16, 16, 0, TargetModules.allLinear());
  private static final double LEARNING_RATE = 2e-4;
  private static final long SEED = 0;
  private static final int POSITIONS = 4096;

  /**
   * What is asked for.
   *
   * @param format name of the frozen weights' format, see {@link FormatNames}; no calibrated one
   * @param seq tokens of a sample
   * @param steps measured after one that warms up
   * @param microBatch samples of a step
   * @param checkpointing whether layers compute their activations again; AUTO for those that do not
   *     fit
   */
  public record Request(
      BenchShape shape,
      String format,
      int seq,
      int steps,
      int microBatch,
      AutoFlag checkpointing,
      Machine machine) {}

  private final Request request;
  private final Optional<WeightFormat> format;
  private final Console console;
  private long heap; // allocated so far
  private long leastHeap = Long.MAX_VALUE; // of a step

  /** A run that tells {@code console} what it does. */
  public BenchRun(Request request, Console console) {
    this.request = request;
    this.format = FormatNames.parse(request.format());
    this.console = console;
  }

  /** Measures. */
  public BenchResult run() {
    Machine machine = request.machine();
    KernelSet set = machine.kernelSet();
    try (Kernels kernels = set.open(machine.options());
        Scope memory = Scope.open("bench", kernels.memory())) {
      console.entry("kernels", KernelSets.describe(set));
      BenchResult result = measure(kernels, memory);
      tell(result);
      return result;
    }
  }

  private BenchResult measure(Kernels kernels, Scope memory) {
    ModelConfig shape = request.shape().model(Math.max(POSITIONS, request.seq()));
    int tokens = Math.multiplyExact(request.seq(), request.microBatch());
    RandomBatch batches =
        new RandomBatch(request.microBatch(), request.seq(), shape.sizes().vocab(), SEED);
    Checkpointing checkpointing = checkpointing(kernels, shape, tokens, batches);
    ModelOptions options = options(tokens, checkpointing);
    RandomModel made =
        RandomModel.make(
            shape,
            SEED,
            options,
            kernels,
            memory,
            part -> console.live("  making weights, %s".formatted(Human.percent(part))));
    console.entry(
        "model",
        "%s random weights, linear layers in %s (%s to take over)"
            .formatted(
                Human.count(shape.weights()),
                format.map(WeightFormat::describe).orElse("bfloat16"),
                seconds(made.quantizeSeconds())));
    console.entry("layers", checkpointing.describe(shape.layers().size()));
    List<Report.StepReport> steps = steps(kernels, memory, made, batches);
    OptionalLong peak = ResidentMemory.peak();
    console.live("  measuring matrix products");
    double rate = MatrixRate.measure(kernels);
    double step = median(steps.stream().skip(1).mapToDouble(BenchRun::seconds).toArray());
    double work = new MatrixWork(shape, options).of(batches.batch());
    return new BenchResult(
        request.shape().word(),
        request.format(),
        kernels.name(),
        kernels.activations().name().toLowerCase(Locale.ROOT),
        request.seq(),
        request.microBatch(),
        checkpointing.keptOf(shape.layers().size()),
        step,
        tokens / step,
        made.quantizeSeconds(),
        peak,
        memory.bytes(),
        leastHeap,
        steps.stream().map(Report.StepReport::loss).toList(),
        rate,
        work / step / rate);
  }

  private ModelOptions options(int tokens, Checkpointing checkpointing) {
    return new ModelOptions(new Training.Adapter(ADAPTER, SEED), format, tokens, checkpointing);
  }

  private Checkpointing checkpointing(
      Kernels kernels, ModelConfig shape, int tokens, RandomBatch batches) {
    return CheckpointingChoice.choose(
        request.checkpointing(),
        FreeMemory.now(kernels),
        shape.layers().size(),
        c -> planned(kernels, shape, options(tokens, c), batches));
  }

  /** Bytes that a model takes with all that trains it. */
  private static long planned(
      Kernels real, ModelConfig shape, ModelOptions options, RandomBatch batches) {
    Kernels kernels = PlanningKernels.of(real);
    try (Scope scope = Scope.open("plan", kernels.memory())) {
      parts(
          RandomModel.make(shape, SEED, options, kernels, scope, part -> {}),
          batches,
          kernels,
          scope);
      return scope.bytes();
    }
  }

  /** What trains a model. */
  private static Finetune.Parts parts(
      RandomModel made, RandomBatch batches, Kernels kernels, Scope scope) {
    CausalLm model = made.model();
    return new Finetune.Parts(
        model,
        new NextTokenLoss(kernels, scope, model.maxBatchTokens()),
        batches,
        new AdamW(kernels, model.parameters(), AdamW.Settings.DEFAULT, scope),
        new Schedule.Constant(LEARNING_RATE, 0),
        new GradientClip(kernels, 1, scope),
        Optional.empty(),
        Optional.empty());
  }

  /** Bytes that all threads, living or not, have taken from Java's heap. */
  private static long allocated() {
    return ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads
        ? threads.getTotalThreadAllocatedBytes()
        : 0;
  }

  private List<Report.StepReport> steps(
      Kernels kernels, Scope memory, RandomModel made, RandomBatch batches) {
    List<Report.StepReport> steps = new ArrayList<>();
    Finetune.Parts parts = parts(made, batches, kernels, memory);
    memory.seal();
    console.live("  warming up");
    new Finetune(
            kernels,
            parts,
            new TrainingPlan(1 + request.steps(), 1, SEED, 0, 0),
            new StopRequest(),
            report -> {
              if (report instanceof Report.StepReport step) {
                countHeap(steps.isEmpty());
                steps.add(step);
                tell(step);
              }
            })
        .run();
    return steps;
  }

  private void countHeap(boolean warmUp) {
    long now = allocated();
    leastHeap = warmUp ? leastHeap : Math.min(leastHeap, now - heap);
    heap = now;
  }

  private void tell(Report.StepReport step) {
    console.line(
        "  %s: loss %s, %s, %s tokens/s"
            .formatted(
                step.step() == 1 ? "warm-up" : "step " + (step.step() - 1),
                Human.loss(step.loss()),
                seconds(seconds(step)),
                Human.count(Math.round(step.tokensPerSecond()))));
  }

  private void tell(BenchResult r) {
    console.entry(
        "step",
        "%s, %s tokens/s (median)"
            .formatted(
                seconds(r.stepSeconds()),
                String.format(Locale.ROOT, "%,.1f", r.tokensPerSecond())));
    console.entry("memory", Human.bytes(r.tensors()) + " in tensors");
    r.processPeak()
        .ifPresent(bytes -> console.entry("", Human.bytes(bytes) + " peak memory of the process"));
    console.entry("", "%s Java heap per step".formatted(Human.bytes(r.heapBytes())));
    console.entry(
        "efficiency",
        "%s of the measured %.3f TFLOP/s"
            .formatted(Human.percent(r.share()), r.matrixRate() / 1e12));
  }

  private static double seconds(Report.StepReport step) {
    return step.tokens() / step.tokensPerSecond();
  }

  private static String seconds(double seconds) {
    return String.format(Locale.ROOT, seconds < 10 ? "%.3f s" : "%.1f s", seconds);
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
