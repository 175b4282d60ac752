package dev.nibble.recipes.recipe;

import dev.nibble.trainer.optim.Adafactor;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.AdamW8bit;
import dev.nibble.trainer.optim.Lion;
import dev.nibble.trainer.optim.Sgd;

/** Names of optimizers in recipes; a name also says where the state lives. */
enum OptimizerName {
  ADAMW,
  ADAMW_8BIT,
  PAGED_ADAMW,
  PAGED_ADAMW_8BIT,
  LION,
  ADAFACTOR,
  SGD;

  static OptimizerName of(Recipe.Optimization optimization) {
    boolean paged = optimization.pagedMemory().isPresent();
    return switch (optimization.optimizer()) {
      case AdamW.Settings _ -> paged ? PAGED_ADAMW : ADAMW;
      case AdamW8bit.Settings _ -> paged ? PAGED_ADAMW_8BIT : ADAMW_8BIT;
      case Lion.Settings _ -> LION;
      case Adafactor.Settings _ -> ADAFACTOR;
      case Sgd.Settings _ -> SGD;
    };
  }

  /** Whether its state need not fit where kernels work. */
  boolean isPaged() {
    return this == PAGED_ADAMW || this == PAGED_ADAMW_8BIT;
  }

  /** The optimizer with the same results whose state stays where kernels work. */
  OptimizerName unpaged() {
    return switch (this) {
      case PAGED_ADAMW -> ADAMW;
      case PAGED_ADAMW_8BIT -> ADAMW_8BIT;
      default -> this;
    };
  }

  /** Whether it is AdamW, wherever and in however many bits its moments are. */
  boolean isAdamW() {
    return this == ADAMW || this == ADAMW_8BIT || isPaged();
  }
}
