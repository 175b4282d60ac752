package dev.nibble.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.data.format.Alpaca;
import dev.nibble.data.format.PromptTemplate;
import dev.nibble.data.samples.ExcessLength;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.samples.SampleOutcome;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.data.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Where the padding token is the end token, tools that mask every padding token unlearn to stop.
 * Nibble's batches hold the samples' own tokens and no others.
 */
class NoPaddingTest {
  @TempDir Path folder;

  @Test
  void theEndIsLearnedAlsoWhereItIsThePaddingToken() throws IOException {
    Files.copy(
        Golden.path("tokenizers", "llama2_like", "tokenizer.json"),
        folder.resolve("tokenizer.json"));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"pad_token\": \"</s>\"}");
    try (Tokenizer tokenizer = Tokenizers.open(folder)) {
      assertThat(tokenizer.special().pad()).isEqualTo(tokenizer.special().eos()).hasValue(2);
      Alpaca format = Alpaca.with(new PromptTemplate("{instruction}>"));
      SampleMaker maker = new SampleMaker(tokenizer, format, 64, ExcessLength.DROP, false);
      List<Sample> samples =
          List.of("one", "a much longer answer than the other").stream()
              .map(answer -> maker.make(Rows.row("instruction", "say", "output", answer)))
              .map(outcome -> ((SampleOutcome.Kept) outcome).sample())
              .toList();
      assertThat(samples.get(0).length()).isLessThan(samples.get(1).length());
      Batch batch = Batch.of(samples);
      assertThat(batch.length())
          .isEqualTo(samples.stream().mapToInt(Sample::length).sum())
          .isEqualTo(batch.tokens().length);
      for (int s = 0; s < batch.samples(); s++) {
        int last = batch.starts()[s + 1] - 1;
        assertThat(batch.tokens()[last]).isEqualTo(2);
        assertThat(batch.targets()[last - 1]).isEqualTo(2);
      }
    }
  }
}
