package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.InterceptedKernels;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The work that is told is what a model asks of its kernels. */
final class MatrixWorkTest {
  private static final LoraSpec ALL = new LoraSpec(3, 6, 0, TargetModules.allLinear());

  static Stream<Arguments> models() {
    List<Training> trainings =
        List.of(
            new Training.AllWeights(),
            new Training.Adapter(ALL, 5),
            new Training.Adapter(ALL.withModulesToSave("input_layernorm"), 5),
            new Training.Adapter(ALL.withModulesToSave("embed_tokens"), 5),
            new Training.Adapter(
                ALL.withTargets(TargetModules.named(List.of("k_proj", "down_proj"))), 5),
            new Training.Adapter(ModelFixture.ia3("q_proj", "down_proj"), 5),
            new Training.Adapter(ModelFixture.vera(0), 5));
    return Stream.of(TinyModel.LLAMA, TinyModel.GEMMA2)
        .flatMap(tiny ->
            trainings.stream()
                .flatMap(training ->
                    Stream.of(Checkpointing.FULL, Checkpointing.OFF)
                        .map(c -> Arguments.of(tiny, training, c))));
  }

  @ParameterizedTest
  @MethodSource("models")
  void isWhatKernelsDo(
      TinyModel tiny, Training training, Checkpointing checkpointing, @TempDir Path folder)
      throws IOException {
    String config = Files.readString(tiny.config(folder).resolve("config.json"));
    Optional<WeightFormat> format =
        training instanceof Training.Adapter
            ? Optional.of(new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true))
            : Optional.empty();
    var options = new ModelOptions(training, format, ModelFixture.MAX_TOKENS, checkpointing);
    ModelConfig shape = ModelConfig.parse("config.json", config);
    double operations;
    try (Count count = new Count(KernelSets.require("cpu").open(KernelOptions.exact(0)));
        Scope scope = Scope.open("test", count.memory())) {
      CausalLm model = RandomModel.make(shape, 1, options, count, scope, x -> {}).model();
      count.operations = 0;
      model.accumulate(TinyModel.batch(), 1, ModelFixture.nextToken(model, count, scope));
      operations = count.operations;
    }
    assertThat(operations).isEqualTo(new MatrixWork(shape, options).of(TinyModel.batch()));
  }

  /** Counts the operations of products. */
  private static final class Count extends InterceptedKernels {
    private double operations;

    Count(Kernels real) {
      super(real);
    }

    @Override
    protected void call(Operation operation, Object[] args) {
      operations += of(operation.name(), args);
      operation.run(args);
    }

    private static double of(String kernel, Object[] args) {
      return switch (kernel) {
        case "linearForward", "linearForwardAdd", "linearBackward" ->
            2.0 * ((Tensor) args[0]).rows() * ((Tensor) args[2]).elements();
        case "linearBackwardWeight" ->
            2.0 * ((Tensor) args[1]).rows() * ((Tensor) args[0]).elements();
        case "frozenForward", "frozenBackward" -> {
          FrozenMatrix weight = (FrozenMatrix) args[2];
          yield 2.0 * ((Tensor) args[0]).rows() * weight.rows() * weight.cols();
        }
        case "attentionForward" -> 2 * product((Tensor) args[2], args);
        case "attentionBackward" -> 5 * product((Tensor) args[6], args);
        default -> 0;
      };
    }

    /** Of a query and a key at a time, the visible ones. */
    private static double product(Tensor q, Object[] args) {
      Tensor segments = (Tensor) args[args.length - 2];
      int window = ((AttentionRule) args[args.length - 1]).window();
      double pairs = 0;
      for (long s = 0; s < segments.rows(); s++) {
        for (long query = 0; query < segments.getLong(4 * s + 1); query++) {
          pairs += window == 0 ? query + 1 : Math.min(window, query + 1);
        }
      }
      return 2 * pairs * q.elements() / q.dim(0);
    }
  }
}
