package dev.nibble.api.export;

import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.export.gguf.GgufType;
import java.util.Optional;

/** A form that a model or its adapter is written in. */
public sealed interface ExportFormat {

  /** The weights that an adapter is merged onto. */
  enum Onto {
    /** Those that it was trained against: for QLoRA, the quantised ones. */
    TRAINED,
    /** The base model's own. */
    ORIGINAL;

    /** The divergence from base and adapter that is usual, in nats. */
    public double usualDivergence() {
      return this == TRAINED ? 0.01 : 1;
    }

    /** What linear maps are rounded to before the adapter is merged onto them. */
    Optional<WeightFormat> rounding(Wiring wiring) {
      return this == TRAINED ? wiring.quantization() : Optional.empty();
    }
  }

  /**
   * A whole model in Hugging Face's layout, the adapter merged into its weights.
   *
   * @param dtype F32, BF16 or F16
   * @param maxShardBytes the most bytes of one file
   * @param largestDivergence from base and adapter, as the mean KL divergence of the next token in
   *     nats; a model that differs more is not written. Empty: not compared
   */
  record Merged(Onto onto, DType dtype, long maxShardBytes, Optional<Double> largestDivergence)
      implements ExportFormat {
    private static final long SHARD = 5_000_000_000L;

    /** In BF16, onto the weights that were trained against, compared, files of up to 5 GB. */
    public static Merged standard() {
      return new Merged(
          Onto.TRAINED, DType.BF16, SHARD, Optional.of(Onto.TRAINED.usualDivergence()));
    }
  }

  /**
   * The adapter in PEFT's layout.
   *
   * @param baseName what to call its base; empty: as the run has it
   */
  record Adapter(Optional<String> baseName) implements ExportFormat {}

  /** A whole model in one GGUF file. */
  record Gguf(GgufType type, Onto onto) implements ExportFormat {}

  /** The adapter in a GGUF file. */
  record GgufLora(GgufType type) implements ExportFormat {}
}
