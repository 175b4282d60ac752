package dev.nibble.api.wiring;

import dev.nibble.data.Batch;
import dev.nibble.data.batching.BatchStream;
import dev.nibble.data.batching.Subset;
import dev.nibble.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** The first samples of a run's own data, to compare models on. */
public final class FirstSamples {
  /** Enough to find a model that is wrong, few enough to hold the logits of. */
  private static final int TOKENS = 512;

  private static final long MOST_LOGITS = 1L << 25;

  private FirstSamples() {}

  /** Validation samples if there are any, else training samples; packed, some 512 tokens in all. */
  public static List<Batch> of(Wiring wiring, Tokenizer tokenizer, int vocabSize) {
    RunData data = wiring.data(tokenizer);
    return of(data.validation().orElse(data.train()), wiring, vocabSize);
  }

  /** The same of samples that were read. */
  public static List<Batch> of(Subset samples, Wiring wiring, int vocabSize) {
    int room = (int) Math.max(1, Math.min(TOKENS, MOST_LOGITS / vocabSize));
    List<Batch> batches = new ArrayList<>();
    try (BatchStream stream = samples.batches(wiring.validationBatches(), 1)) {
      while (room > 0 && stream.hasNext()) {
        Batch batch = stream.next().first(room);
        batches.add(batch);
        room -= batch.length();
      }
    }
    return batches;
  }
}
