package dev.nibble.trainer.model.build;

import static dev.nibble.trainer.model.build.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.layers.DecoderModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("golden")
final class DecoderTest {
  private static final Path FOLDER = Golden.model("llama");

  /** A plain model, windows, soft caps, two ropes, and factors that switch on the way. */
  static Stream<Arguments> models() {
    return ModelFixture.kernelSetNames()
        .flatMap(set ->
            Stream.of("llama", "mistral", "gemma2", "gemma3", "phi3_longrope")
                .map(name -> Arguments.of(set, Golden.model(name))));
  }

  @ParameterizedTest
  @MethodSource("models")
  void agreesWithOnePassOverTheWhole(String set, Path folder) {
    int[] first = tokens(1, 29);
    int[] second = tokens(2, 13);
    // 8 tokens a pass: prompts run in pieces that do not end where sequences end
    ModelOptions small =
        new ModelOptions(new Training.Nothing(), Optional.empty(), 8, Checkpointing.FULL);
    try (ModelFixture whole =
            ModelFixture.load(set, folder, ModelFixture.options(new Training.Nothing()));
        ModelFixture f = ModelFixture.load(set, folder, small);
        Decoder decoder = f.model.decoder(3, 40)) {
      float[][] logits =
          decoder.feed(new int[] {2, 0}, new int[][] {prefix(first, 25), prefix(second, 12)});
      assertClose("first", logits[0], last(whole.model, prefix(first, 25)), 1e-5);
      assertClose("second", logits[1], last(whole.model, prefix(second, 12)), 1e-5);

      logits =
          decoder.feed(
              new int[] {0, 2}, new int[][] {{second[12]}, Arrays.copyOfRange(first, 25, 29)});
      assertClose("second, later", logits[0], last(whole.model, second), 1e-5);
      assertClose("first, later", logits[1], last(whole.model, first), 1e-5);

      decoder.reset(2);
      logits = decoder.feed(new int[] {2}, new int[][] {second});
      assertClose("anew", logits[0], last(whole.model, second), 1e-5);
    }
  }

  /** A beginning that is kept goes on otherwise; the model whose factors switch starts again. */
  @ParameterizedTest
  @MethodSource("models")
  void keepsTheBeginningOfASequence(String set, Path folder) {
    int[] first = tokens(1, 60);
    int[] second = tokens(2, 15);
    System.arraycopy(first, 0, second, 0, 10);
    try (ModelFixture f =
            ModelFixture.load(set, folder, ModelFixture.options(new Training.Nothing()));
        Decoder decoder = f.model.decoder(2, 60)) {
      decoder.feed(new int[] {0, 1}, new int[][] {first, second});
      int kept = decoder.keep(0, 10);
      assertThat(kept).isEqualTo(folder.endsWith("phi3_longrope") ? 0 : 10);
      float[][] logits =
          decoder.feed(new int[] {0}, new int[][] {Arrays.copyOfRange(second, kept, 15)});
      assertClose("another end", logits[0], last(f.model, second), 1e-5);
      assertThat(decoder.keep(1, 15)).isEqualTo(15);
      assertThatThrownBy(() -> decoder.keep(1, 16))
          .hasMessageContaining("sequence 1 holds 15 tokens, of which 16 cannot be kept");
    }
  }

  /** Frequencies depend on a sequence's own length, not on what runs beside it. */
  @ParameterizedTest
  @MethodSource("dev.nibble.trainer.model.build.ModelFixture#kernelSetNames")
  void dynamicRopeKeepsSequencesApart(String set) {
    Path folder = Golden.model("llama_dynamic"); // max_position_embeddings 16
    int[] longer = tokens(3, 25);
    int[] shorter = tokens(4, 10);
    try (ModelFixture f =
            ModelFixture.load(set, folder, ModelFixture.options(new Training.Nothing()));
        Decoder decoder = f.model.decoder(2, 40)) {
      float[][] logits = decoder.feed(new int[] {0, 1}, new int[][] {longer, shorter});
      assertClose("longer", logits[0], last(f.model, longer), 1e-5);
      assertClose("shorter", logits[1], last(f.model, shorter), 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.trainer.model.build.ModelFixture#kernelSetNames")
  void refusesWhatDoesNotFit(String set) {
    try (ModelFixture f =
            ModelFixture.load(set, FOLDER, ModelFixture.options(new Training.Nothing()));
        Decoder decoder = f.model.decoder(2, 4)) {
      assertThatThrownBy(() -> f.model.decoder(1, 129))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("max_position_embeddings = 128");
      assertThatThrownBy(() -> decoder.feed(new int[] {0}, new int[][] {new int[5]}))
          .hasMessageContaining("capacity is 4");
      assertThatThrownBy(() -> decoder.feed(new int[] {0}, new int[][] {{320}}))
          .hasMessageContaining("token 320 at position 0 is outside the vocabulary of 320");
      assertThatThrownBy(() -> decoder.feed(new int[] {1, 1}, new int[][] {{1}, {1}}))
          .hasMessageContaining("fed twice");
    }
  }

  private static float[] last(DecoderModel model, int[] tokens) {
    Batch batch = Batch.of(List.of(new Sample(tokens, new boolean[tokens.length])));
    return model.logits(batch)[tokens.length - 1];
  }

  private static int[] tokens(long seed, int count) {
    return new Random(seed).ints(count, 3, 320).toArray();
  }

  private static int[] prefix(int[] tokens, int count) {
    return Arrays.copyOf(tokens, count);
  }
}
