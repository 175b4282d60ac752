package dev.nibble.cli.bench;

import com.sun.management.ThreadMXBean;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.api.machine.ResidentMemory;
import dev.nibble.api.planning.CheckpointingChoice;
import dev.nibble.api.planning.FreeMemory;
import dev.nibble.api.text.Human;
import dev.nibble.cli.report.KernelTable;
import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.kernels.KernelProfile;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.kernels.Roofline;
import dev.nibble.compute.tensor.Memory;
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
import java.util.function.BiFunction;
import java.util.function.Consumer;

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
   * @param sizes of steps, measured one after another
   * @param checkpointing whether layers compute their activations again, each measured with all
   *     sizes; AUTO for those that do not fit
   * @param steps measured after one that warms up; where kernels are timed, that is a further one
   */
  public record Request(
      BenchShape shape,
      String format,
      List<BenchSize> sizes,
      List<AutoFlag> checkpointing,
      int steps,
      Machine machine) {}

  private final Request request;
  private final Optional<WeightFormat> format;
  private final Console console;

  /** A run that tells {@code console} what it does. */
  public BenchRun(Request request, Console console) {
    this.request = request;
    this.format = FormatNames.parse(request.format());
    this.console = console;
  }

  /**
   * Measures, and gives each result when it is there. What the machine can do at most is measured
   * when the first model has given its memory back: it needs some, which is not the model's.
   */
  public void run(Consumer<BenchResult> results) {
    Machine machine = request.machine();
    KernelSet set = machine.kernelSet();
    try (Kernels kernels = set.open(machine.options())) {
      console.entry("kernels", KernelSets.describe(set));
      Optional<Roofline> peak = Optional.empty();
      for (BenchSize size : request.sizes()) {
        for (AutoFlag checkpointing : request.checkpointing()) {
          BiFunction<Roofline, OptionalLong, BenchResult> measured =
              measure(kernels, set.describe(), size, checkpointing);
          OptionalLong processPeak = OptionalLong.empty();
          if (peak.isEmpty()) {
            processPeak = ResidentMemory.peak();
            console.live("  measuring matrix products");
            peak = Optional.of(Roofline.measure(kernels));
          }
          BenchResult result = measured.apply(peak.get(), processPeak);
          tell(result);
          results.accept(result);
        }
      }
    }
  }

  private BiFunction<Roofline, OptionalLong, BenchResult> measure(
      Kernels kernels, String description, BenchSize size, AutoFlag asked) {
    try (Scope memory = Scope.open("bench", kernels.memory())) {
      return measure(kernels, description, memory, size, asked);
    }
  }

  private BiFunction<Roofline, OptionalLong, BenchResult> measure(
      Kernels kernels, String description, Scope memory, BenchSize size, AutoFlag asked) {
    Optional<Memory.Space> before = kernels.memory().space();
    ModelConfig shape = request.shape().model(Math.max(POSITIONS, size.seq()));
    int tokens = size.tokens();
    RandomBatch batches =
        new RandomBatch(size.microBatch(), size.seq(), shape.sizes().vocab(), SEED);
    Checkpointing checkpointing = checkpointing(kernels, shape, asked, tokens, batches);
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
    Steps steps = steps(kernels, memory, made, batches);
    double step = median(steps.reports.stream().skip(1).mapToDouble(BenchRun::seconds).toArray());
    double work = new MatrixWork(shape, options).of(batches.batch());
    long tensors = memory.bytes();
    Optional<DeviceUse> use =
        before.flatMap(b -> kernels.memory().space().map(now -> new DeviceUse(b, now)));
    return (peak, processPeak) ->
        new BenchResult(
            request.shape().word(),
            request.format(),
            kernels.name(),
            description,
            kernels.activations().name().toLowerCase(Locale.ROOT),
            size,
            checkpointing.keptOf(shape.layers().size()),
            step,
            made.quantizeSeconds(),
            processPeak,
            tensors,
            use,
            steps.leastHeap,
            steps.reports.stream().map(Report.StepReport::loss).toList(),
            peak,
            work / step,
            steps.times);
  }

  private ModelOptions options(int tokens, Checkpointing checkpointing) {
    return new ModelOptions(new Training.Adapter(ADAPTER, SEED), format, tokens, checkpointing);
  }

  private Checkpointing checkpointing(
      Kernels kernels, ModelConfig shape, AutoFlag asked, int tokens, RandomBatch batches) {
    return CheckpointingChoice.choose(
        asked,
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

  /** What is seen of steps; where kernels are timed, the last one is for that alone. */
  private final class Steps implements Consumer<Report> {
    private final Optional<KernelProfile> profile;
    private final List<Report.StepReport> reports = new ArrayList<>();
    private Optional<KernelTimes> times = Optional.empty();
    private long heap = allocated();
    private long leastHeap = Long.MAX_VALUE; // of a step

    Steps(Optional<KernelProfile> profile) {
      this.profile = profile;
    }

    int count() {
      return 1 + request.steps() + (profile.isPresent() ? 1 : 0);
    }

    @Override
    public void accept(Report report) {
      if (!(report instanceof Report.StepReport step)) {
        return;
      }
      if (reports.size() > request.steps()) {
        times = profile.map(KernelProfile::stop);
        return;
      }
      long now = allocated();
      leastHeap = reports.isEmpty() ? leastHeap : Math.min(leastHeap, now - heap);
      heap = now;
      reports.add(step);
      tell(step);
      if (reports.size() > request.steps()) {
        profile.ifPresent(KernelProfile::start);
      }
    }
  }

  private Steps steps(Kernels kernels, Scope memory, RandomModel made, RandomBatch batches) {
    Steps steps = new Steps(kernels.profile());
    Finetune.Parts parts = parts(made, batches, kernels, memory);
    memory.seal();
    console.live("  warming up");
    new Finetune(
            kernels,
            parts,
            new TrainingPlan(steps.count(), 1, SEED, 0, 0),
            new StopRequest(),
            steps)
        .run();
    return steps;
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
    r.device()
        .ifPresent(use ->
            console.entry(
                "",
                "%s taken of the device since the kernels were opened, %s in use in all"
                    .formatted(Human.bytes(use.taken()), Human.bytes(use.inUse()))));
    r.processPeak()
        .ifPresent(bytes -> console.entry("", Human.bytes(bytes) + " peak memory of the process"));
    console.entry("", "%s Java heap per step".formatted(Human.bytes(r.heapBytes())));
    console.entry(
        "efficiency",
        "%s of the measured %.3f TFLOP/s"
            .formatted(Human.percent(r.share()), r.peak().operations() / 1e12));
    r.times().ifPresent(times -> KernelTable.write(times, 1, r.peak(), console));
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
