package dev.nibble.api.plan;

import dev.nibble.api.event.Event;
import dev.nibble.api.event.Event.Activity;
import dev.nibble.api.plan.PlanResult.PlannedMatrix;
import dev.nibble.api.plan.PlanResult.UniformFormat;
import dev.nibble.api.wiring.RunData;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.data.batching.BatchStream;
import dev.nibble.data.batching.Subset;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.errors.Remedy;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.plan.BitAllocation;
import dev.nibble.quant.plan.BitAllocation.Option;
import dev.nibble.quant.plan.PlannedFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.InitWeights;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.calibration.Sensitivities;
import dev.nibble.trainer.calibration.Sensitivities.Sensitivity;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.plan.FormatPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;

/** A planner of weight formats: measures a recipe's base, chooses, and writes the plan. */
public final class FormatPlanner {
  /**
   * What matrices are brought to one at a time: near enough to the whole model for costs to grow
   * with squares, and far above rounding.
   */
  private static final String PROBE = "nf4";

  /** Logits of one batch in Java's heap, of which there are two at a time. */
  private static final long MOST_LOGITS = 1L << 25;

  private final PlanRequest request;
  private final Recipe recipe;
  private final Path base;
  private final Consumer<Event> listener;
  private final SequencedMap<String, SequencedMap<String, Candidate>> candidates =
      new LinkedHashMap<>();
  private long weights;

  /** A format that can hold a matrix, and the bytes that it takes then. */
  private record Candidate(WeightFormat format, long bytes) {}

  /** A format for each matrix, in the order of {@link #candidates}. */
  private record Choice(List<String> formats, long bytes, double divergence) {}

  /** A planner; nothing is opened or written yet. */
  public FormatPlanner(PlanRequest request, Consumer<Event> listener) {
    this.request = request;
    this.recipe = request.recipe();
    this.base = recipe.model().base();
    this.listener = listener;
  }

  /**
   * Plans, and writes the file at the end, whole or not at all.
   *
   * @throws RecipeException when there is no base to quantise, or the budget is too small for any
   *     choice
   * @throws ExportException when the file is there already
   */
  public PlanResult plan() {
    check();
    Wiring wiring = new Wiring(recipe);
    KernelSet set = wiring.machine().kernelSet();
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = set.open(wiring.machine().options());
        ShardedSafetensors source = ShardedSafetensors.open(base)) {
      listener.accept(Event.KernelsOpened.of(wiring.machine().kernels(), set));
      findCandidates(kernels, source);
      long budget = request.budget().bytesOf(weights);
      requireRoom(budget);
      RunData data = wiring.data(tokenizer, listener);
      listener.accept(data.report());
      listener.accept(wiring.modelFound());
      List<Batch> batches = batches(data.train(), wiring);
      List<Sensitivity> measured =
          new Sensitivities(
                  new Sensitivities.Request(
                      base, source, formats(), PlannedFormat.candidate(PROBE), batches),
                  kernels,
                  (done, total) ->
                      listener.accept(new Event.Working(Activity.CALIBRATING, done, total)))
              .measure();
      return written(measured, budget, batches.stream().mapToLong(Batch::length).sum());
    }
  }

  private void check() {
    if (recipe.model().init() == InitWeights.RANDOM) {
      throw new RecipeException(
          "init_weights: random leaves no weights to plan for; name a trained model as base_model");
    }
    Optional<WeightFormat> stored = ModelLoader.storedFormat(base);
    if (stored.isPresent()) {
      throw new RecipeException(
          "base_model: %s is in %s already, from which no other format can be made; name the model that it was made from"
              .formatted(base, stored.get().describe()));
    }
    checkOutput();
  }

  /** Replaces an earlier plan where that is allowed, and nothing else ever. */
  private void checkOutput() {
    Path output = request.output();
    if (Files.isDirectory(output)) {
      throw new ExportException("%s is a folder; name a file to write".formatted(output));
    }
    if (Files.exists(output)) {
      FormatPlan.read(output);
      if (!request.overwrite()) {
        throw new ExportException(output + " holds a plan already", Remedy.OVERWRITE_EXPORT);
      }
    }
  }

  /** Tries each format on each matrix; what it cannot hold is told of once. */
  private void findCandidates(Kernels kernels, ShardedSafetensors source) {
    Kernels planning = PlanningKernels.of(kernels);
    List<String> names = ModelLoader.linearWeights(base, source);
    names.forEach(name -> {
      candidates.put(name, new LinkedHashMap<>());
      weights += source.tensor(name).elements();
    });
    for (String format : request.formats()) {
      WeightFormat candidate = PlannedFormat.candidate(format);
      List<String> refusals = new ArrayList<>();
      try (Scope scope = Scope.open("sizes", planning.memory())) {
        WeightFormat.Allocator allocator = candidate.allocator(planning, scope);
        for (String name : names) {
          Tensor weight = source.tensor(name);
          try {
            long bytes = allocator.allocate(name, weight.rows(), weight.cols()).bytes();
            of(name).put(format, new Candidate(candidate, bytes));
          } catch (UnusableWeight e) {
            refusals.add(e.getMessage());
          }
        }
      }
      if (!refusals.isEmpty()) {
        listener.accept(
            new Event.Warned(
                "%s cannot hold %d of %d matrices: %s"
                    .formatted(format, refusals.size(), names.size(), refusals.getFirst())));
      }
    }
    names.stream()
        .filter(name -> of(name).isEmpty())
        .findFirst()
        .ifPresent(name -> {
          throw new RecipeException(
              "none of the formats %s can hold tensor '%s'; add one, such as nf4"
                  .formatted(String.join(", ", request.formats()), name));
        });
  }

  private SequencedMap<String, Candidate> of(String weight) {
    return Objects.requireNonNull(candidates.get(weight));
  }

  private void requireRoom(long budget) {
    long least =
        candidates.values().stream()
            .mapToLong(c -> c.values().stream().mapToLong(Candidate::bytes).min().orElseThrow())
            .sum();
    if (least > budget) {
      throw new RecipeException(
          String.format(
              Locale.ROOT,
              "a budget of %s (%,d bytes) is too small: the smallest of these formats take %,d bytes, %.3f bits a weight. Raise it, or add smaller formats, such as hqq-1",
              request.budget().describe(),
              budget,
              least,
              8.0 * least / weights));
    }
  }

  private SequencedMap<String, SequencedMap<String, WeightFormat>> formats() {
    SequencedMap<String, SequencedMap<String, WeightFormat>> all = new LinkedHashMap<>();
    candidates.forEach((name, of) -> {
      SequencedMap<String, WeightFormat> formats = new LinkedHashMap<>();
      of.forEach((format, candidate) -> formats.put(format, candidate.format()));
      all.put(name, formats);
    });
    return all;
  }

  /** The first batches of the first epoch, cut to what may be in memory at once. */
  private List<Batch> batches(Subset train, Wiring wiring) {
    int most = (int) Math.max(1, MOST_LOGITS / wiring.model().sizes().vocab());
    int left = request.tokens();
    List<Batch> batches = new ArrayList<>();
    try (BatchStream stream = train.batches(wiring.batches(), 1)) {
      while (left > 0 && stream.hasNext()) {
        Batch batch = stream.next().first(Math.min(left, most));
        batches.add(batch);
        left -= batch.length();
      }
    }
    return batches;
  }

  private PlanResult written(List<Sensitivity> measured, long budget, long tokens) {
    List<UniformFormat> uniform =
        request.formats().stream()
            .flatMap(format -> uniform(format, measured).stream())
            .sorted(Comparator.comparingLong(UniformFormat::bytes))
            .toList();
    Choice choice = choose(measured, uniform, budget);
    SequencedMap<String, FormatPlan.Matrix> matrices = new LinkedHashMap<>();
    List<PlannedMatrix> planned = new ArrayList<>();
    for (int m = 0; m < measured.size(); m++) {
      Sensitivity s = measured.get(m);
      String format = choice.formats().get(m);
      matrices.put(s.name(), new FormatPlan.Matrix(s.shape().dim(0), s.shape().dim(1), format));
      planned.add(
          new PlannedMatrix(s.name(), format, candidate(s, format).bytes(), cost(s, format)));
    }
    double bits = (double) Byte.SIZE * choice.bytes() / weights;
    try {
      listener.accept(new Event.Working(Activity.HASHING_FILES));
      FormatPlan plan =
          new FormatPlan(
              FormatPlan.VERSION,
              budget,
              choice.bytes(),
              bits,
              choice.divergence(),
              FormatPlan.weightsOf(base),
              matrices);
      Path file = request.output().toAbsolutePath();
      Files.createDirectories(Objects.requireNonNull(file.getParent()));
      plan.write(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new PlanResult(
        request.output(),
        planned,
        weights,
        choice.bytes(),
        budget,
        choice.divergence(),
        tokens,
        uniform);
  }

  private Candidate candidate(Sensitivity s, String format) {
    return Objects.requireNonNull(of(s.name()).get(format));
  }

  private static double cost(Sensitivity s, String format) {
    return Objects.requireNonNull(s.costs().get(format));
  }

  /** One format for all matrices; empty where it cannot hold all. */
  private Optional<UniformFormat> uniform(String format, List<Sensitivity> measured) {
    if (measured.stream().anyMatch(s -> !s.costs().containsKey(format))) {
      return Optional.empty();
    }
    long bytes = measured.stream().mapToLong(s -> candidate(s, format).bytes()).sum();
    double divergence = measured.stream().mapToDouble(s -> cost(s, format)).sum();
    double bits = (double) Byte.SIZE * bytes / weights;
    return Optional.of(new UniformFormat(format, bits, bytes, divergence));
  }

  /** What the allocation finds, or one format for all where, with few matrices, that is better. */
  private Choice choose(List<Sensitivity> measured, List<UniformFormat> uniform, long budget) {
    List<List<Option>> options =
        measured.stream()
            .map(s ->
                s.costs().entrySet().stream()
                    .map(e -> new Option(candidate(s, e.getKey()).bytes(), e.getValue()))
                    .toList())
            .toList();
    List<Integer> chosen = BitAllocation.choose(options, budget).orElseThrow();
    List<String> formats = new ArrayList<>();
    long bytes = 0;
    double divergence = 0;
    for (int m = 0; m < measured.size(); m++) {
      formats.add(List.copyOf(measured.get(m).costs().keySet()).get(chosen.get(m)));
      bytes += options.get(m).get(chosen.get(m)).bytes();
      divergence += options.get(m).get(chosen.get(m)).cost();
    }
    double found = divergence;
    Choice choice = new Choice(formats, bytes, divergence);
    return uniform.stream()
        .filter(u -> u.bytes() <= budget && u.divergence() < found)
        .min(Comparator.comparingDouble(UniformFormat::divergence))
        .map(u ->
            new Choice(measured.stream().map(s -> u.format()).toList(), u.bytes(), u.divergence()))
        .orElse(choice);
  }
}
