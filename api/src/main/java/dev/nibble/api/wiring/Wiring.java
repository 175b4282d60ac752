package dev.nibble.api.wiring;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.ChangedBase;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.api.event.Event;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.batching.BatchPlan;
import dev.nibble.data.batching.Shuffle;
import dev.nibble.data.batching.Subset;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.data.tokenizer.Tokenizers;
import dev.nibble.quant.WeightFormat;
import dev.nibble.recipes.recipe.Machine;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.AdapterSource;
import dev.nibble.recipes.recipe.Recipe.InitWeights;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.objective.NextTokenLoss;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.GradientClip;
import dev.nibble.trainer.optim.Optimizer;
import dev.nibble.trainer.optim.Rates;
import dev.nibble.trainer.optim.Schedule;
import dev.nibble.trainer.optim.StateMemory;
import dev.nibble.trainer.run.RunDirectory;
import dev.nibble.trainer.train.TrainingPlan;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The objects that a recipe's keys stand for. Everything that a run is made of is made here, in
 * this order.
 */
public final class Wiring {
  private final Recipe recipe;
  private final LocalDateTime now;
  private @Nullable Formats formats;
  private @Nullable ModelConfig model;

  /** The objects of a recipe. */
  public Wiring(Recipe recipe) {
    this(recipe, LocalDateTime.now(ZoneId.systemDefault()));
  }

  /** The same for a run that began at a time, which templates may ask for. */
  public Wiring(Recipe recipe, LocalDateTime now) {
    this.recipe = recipe;
    this.now = now;
  }

  /** Conversion of rows to text. */
  public Formats formats() {
    if (formats == null) {
      formats = new Formats(recipe, now);
    }
    return formats;
  }

  /** The base model's configuration. Whose head it has may take a look at all its weights. */
  public ModelConfig model() {
    if (model == null) {
      model = ModelConfig.of(recipe.model().base());
    }
    return model;
  }

  /** The kernel set and its options. */
  public Machine machine() {
    return recipe.machine();
  }

  /** Text to tokens. A text with a token that the model has no embedding of is refused. */
  public Tokenizer tokenizer() {
    return Tokenizers.open(recipe.model().base(), model().sizes().vocab());
  }

  /** The training and validation data. */
  public RunData data(Tokenizer tokenizer) {
    return data(tokenizer, event -> {});
  }

  /** The same; {@code listener} hears how many rows were read. */
  public RunData data(Tokenizer tokenizer, Consumer<Event> listener) {
    int positions = model().longestSample();
    if (recipe.data().sequenceLength() > positions) {
      throw new RecipeException(
          "sequence_len: %d is more than the %d positions of the model (max_position_embeddings in %s); write at most %d"
              .formatted(
                  recipe.data().sequenceLength(),
                  positions,
                  recipe.model().base().resolve("config.json"),
                  positions));
    }
    return RunData.scan(recipe.data(), recipe.training().seed(), formats(), tokenizer, listener);
  }

  /** The plan of micro-batches. */
  public BatchPlan batches() {
    Recipe.Data data = recipe.data();
    return new BatchPlan(
        recipe.training().microBatchSize(),
        data.sequenceLength(),
        data.packing(),
        data.shuffle() ? Optional.of(Shuffle.seeded(recipe.training().seed())) : Optional.empty());
  }

  /** The same without an order of its own, for measurements. */
  public BatchPlan validationBatches() {
    BatchPlan plan = batches();
    return new BatchPlan(
        plan.microBatchSize(), plan.sequenceLen(), plan.packing(), Optional.empty());
  }

  /** The model with what trains in it: new, or continued from an adapter. */
  public CausalLm modelToTrain(
      Kernels kernels, Scope scope, Checkpointing checkpointing, Consumer<Event> listener) {
    return modelToTrain(kernels, scope, batches().maxTokens(), checkpointing, listener);
  }

  /** The same for batches of up to so many tokens. */
  public CausalLm modelToTrain(
      Kernels kernels,
      Scope scope,
      int maxTokens,
      Checkpointing checkpointing,
      Consumer<Event> listener) {
    Optional<PeftAdapter> earlier =
        recipe.model().adapterSource().flatMap(AdapterSource::continueFrom).map(PeftAdapter::open);
    earlier.ifPresent(this::requireTrainable);
    ModelOptions options = optionsToTrain(maxTokens, checkpointing);
    CausalLm model =
        recipe.model().init() == InitWeights.RANDOM
            ? ModelLoader.initialise(
                recipe.model().base(), recipe.training().seed(), options, kernels, scope)
            : ModelLoader.load(recipe.model().base(), options, kernels, scope, loading(listener));
    earlier.ifPresent(adapter -> adapter.copyTo(model.parameters(), kernels));
    return model;
  }

  private void requireTrainable(PeftAdapter adapter) {
    try (ShardedSafetensors base = ShardedSafetensors.open(recipe.model().base())) {
      adapter.requireTrainable(base, model().tiedHead());
    }
  }

  /**
   * The model to measure or to generate with: as {@code run} trained it, or as training would
   * start. An adapter in it does not train.
   *
   * @param maxTokens the most tokens of a batch
   * @param listener hears how far loading is
   */
  public CausalLm modelToUse(
      Optional<Path> run, int maxTokens, Kernels kernels, Scope scope, Consumer<Event> listener) {
    Optional<AdapterSource> source = recipe.model().adapterSource();
    if (source.isEmpty()) {
      return run.isEmpty()
          ? modelToTrain(kernels, scope, maxTokens, Checkpointing.FULL, listener)
          : ModelLoader.load(
              run.get(),
              options(new Training.Nothing(), maxTokens, Checkpointing.FULL),
              kernels,
              scope,
              loading(listener));
    }
    Optional<PeftAdapter> adapter = run.or(source.get()::continueFrom).map(PeftAdapter::open);
    AdapterSpec spec = adapter.map(PeftAdapter::spec).orElseGet(this::adapterSpec);
    Function<Set<String>, ModelOptions> options =
        changed ->
            options(
                new Training.FrozenAdapter(spec, recipe.training().seed(), changed),
                maxTokens,
                Checkpointing.FULL);
    return adapter.isEmpty()
        ? ModelLoader.load(
            recipe.model().base(), options.apply(Set.of()), kernels, scope, loading(listener))
        : adapted(adapter.get(), options, kernels, scope, listener);
  }

  private static BiConsumer<Long, Long> loading(Consumer<Event> listener) {
    return (done, total) ->
        listener.accept(new Event.Working(Event.Activity.LOADING_MODEL, done, total));
  }

  private CausalLm adapted(
      PeftAdapter adapter,
      Function<Set<String>, ModelOptions> options,
      Kernels kernels,
      Scope scope,
      Consumer<Event> listener) {
    Path folder = recipe.model().base();
    try (ShardedSafetensors stored = ShardedSafetensors.open(folder);
        ChangedBase base = adapter.over(stored, model().tiedHead())) {
      CausalLm model =
          ModelLoader.load(
              folder, base, options.apply(base.changes()), kernels, scope, loading(listener));
      adapter.copyTo(model.parameters(), kernels);
      return model;
    }
  }

  /**
   * What was left out in reading an adapter, in a sentence each.
   *
   * @param run the folder of a run; empty: of the adapter that the recipe starts from
   */
  public List<Event.Warned> adapterWarnings(Optional<Path> run) {
    return recipe
        .model()
        .adapterSource()
        .flatMap(source -> run.or(source::continueFrom))
        .map(folder -> PeftAdapter.open(folder).warnings().stream().map(Event.Warned::new).toList())
        .orElse(List.of());
  }

  /** The objective of training and evaluation. */
  public Objective objective(Kernels kernels, Scope scope) {
    return objective(kernels, scope, batches().maxTokens());
  }

  /** The same for batches of up to so many tokens. */
  public Objective objective(Kernels kernels, Scope scope, int maxTokens) {
    return new NextTokenLoss(kernels, scope, maxTokens);
  }

  /** The base model, before it is loaded. */
  public Event.ModelFound modelFound() {
    Path base = recipe.model().base();
    return new Event.ModelFound(
        base, model().weights(), ModelLoader.storedFormat(base).isPresent());
  }

  /** The adapter's shape: what the recipe says, or what the adapter to continue from is. */
  public AdapterSpec adapterSpec() {
    return switch (recipe.model().adapterSource().orElseThrow()) {
      case AdapterSource.New(AdapterSpec spec) -> spec;
      case AdapterSource.Continued(Path folder) -> {
        AdapterSpec spec = PeftAdapter.open(folder).spec();
        checkMethod(folder, spec);
        yield spec;
      }
    };
  }

  private void checkMethod(Path folder, AdapterSpec spec) {
    String method =
        switch (recipe.model().adapter()) {
          case QLORA, LORA -> "LORA";
          case Recipe.Adapter other -> other.name();
        };
    if (!spec.peftType().equals(method)) {
      throw new RecipeException(
          "lora_model_dir: %s holds an adapter of type %s; write the adapter key that goes with it"
              .formatted(folder, spec.peftType()));
    }
  }

  /** Options of {@link #modelToTrain}. */
  public ModelOptions optionsToTrain(int maxTokens, Checkpointing checkpointing) {
    Training training =
        recipe
            .model()
            .adapterSource()
            .<Training>map(source -> new Training.Adapter(adapterSpec(), recipe.training().seed()))
            .orElseGet(Training.AllWeights::new);
    return options(training, maxTokens, checkpointing);
  }

  private ModelOptions options(Training training, int maxTokens, Checkpointing checkpointing) {
    return new ModelOptions(
        training, quantization(), maxTokens, checkpointing, recipe.training().embeddingNoise());
  }

  /** The format of the frozen linear maps; empty when they stay as the checkpoint has them. */
  public Optional<WeightFormat> quantization() {
    return recipe.model().quantization();
  }

  /** The optimizer of what trains. */
  public Optimizer optimizer(Kernels kernels, Parameters parameters, Scope scope) {
    Recipe.LearningRate rate = recipe.optimization().learningRate();
    Rates rates =
        rate.loraPlus()
            .map(p -> new Rates(p.ratio(), p.embeddingRate() / rate.peak()))
            .orElse(Rates.EQUAL);
    StateMemory memory =
        recipe
            .optimization()
            .pagedMemory()
            .map(bytes -> StateMemory.paged(scope, new Paging(bytes, pages())))
            .orElseGet(() -> StateMemory.resident(scope));
    return recipe.optimization().optimizer().create(kernels, parameters, rates, memory);
  }

  /** The file of a paged optimizer on the CPU. */
  private Path pages() {
    return RunDirectory.optimizerPages(recipe.output().folder());
  }

  /** The limit of the gradient norm. */
  public GradientClip clip(Kernels kernels, Scope scope) {
    double norm = recipe.optimization().maxGradNorm();
    return new GradientClip(kernels, norm == 0 ? Double.POSITIVE_INFINITY : norm, scope);
  }

  /** The learning rate of each step. */
  public Schedule schedule(long steps) {
    Recipe.LearningRate rate = recipe.optimization().learningRate();
    long warmup =
        switch (rate.warmup()) {
          case Recipe.Warmup.Part(double ratio) -> Schedule.warmupSteps(ratio, steps);
          case Recipe.Warmup.Steps(int count) -> count;
        };
    return switch (rate.schedule()) {
      case CONSTANT -> new Schedule.Constant(rate.peak(), warmup);
      case LINEAR -> new Schedule.Linear(rate.peak(), warmup, steps);
      case COSINE -> new Schedule.Cosine(rate.peak(), warmup, steps, 0);
    };
  }

  /**
   * The number of steps that the recipe asks for.
   *
   * @throws RecipeException when the learning rate would still be rising at the end
   */
  public StepCount steps(Subset train) {
    StepCount steps = StepCount.of(recipe.training(), batches(), train);
    if (recipe.optimization().learningRate().warmup() instanceof Recipe.Warmup.Steps(int warmup)
        && warmup > steps.total()) {
      throw new RecipeException(
          "warmup_steps: %d is more than the %d steps of the run, so the learning rate would never reach its peak. Lower it, or write warmup_ratio"
              .formatted(warmup, steps.total()));
    }
    return steps;
  }

  /** The plan of steps, evaluations and checkpoints. */
  public TrainingPlan plan(long steps) {
    Recipe.Training t = recipe.training();
    return new TrainingPlan(
        steps,
        t.accumulation(),
        t.seed(),
        recipe.evaluation().evalOnStart(),
        recipe.evaluation().evalSteps(),
        recipe.output().saveSteps(),
        t.mostSkipped(),
        recipe.evaluation().patience());
  }

  /** The element type of a saved model. */
  public DType savedType() {
    return recipe.output().saveDType();
  }
}
