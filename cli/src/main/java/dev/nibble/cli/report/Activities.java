package dev.nibble.cli.report;

import dev.nibble.api.event.Event;
import dev.nibble.api.text.Human;
import dev.nibble.cli.terminal.Console;

/** Live lines about work that takes a while. */
public final class Activities {
  private Activities() {}

  /** Shows the event if it is one of progress. */
  public static void show(Event event, Console console) {
    if (event instanceof Event.Working working) {
      console.live("  " + text(working));
    } else if (event instanceof Event.Warned(String text)) {
      console.entry("warning", text);
    }
  }

  /** What is at work, and how far. */
  static String text(Event.Working e) {
    return switch (e.activity()) {
      case PLANNING_MEMORY -> "planning memory…";
      case READING_ROWS ->
          e.done() == 0
              ? "reading and tokenising rows…"
              : "reading and tokenising rows: " + Human.count(e.done());
      case HASHING_FILES -> "hashing the files of model and data…";
      case LOADING_MODEL -> "loading the model" + ofBytes(e);
      case MEASURING_PRODUCTS -> "measuring matrix products…";
      case TIMING_LAYERS -> "timing steps of the first layers…";
      case TIMING_STEPS -> "timing steps…";
      case VALIDATING -> "validation: " + of(e, "batches");
      case ASKING_QUESTIONS -> "asking questions: " + of(e, "");
      case TRAINING_BASELINE -> "training the baseline…";
      case MERGING -> "merging" + ofBytes(e);
      case COMPARING -> "comparing outputs: " + of(e, "batches");
      case CALIBRATING -> "calibrating: " + Human.percent((double) e.done() / e.total());
      case QUANTIZING -> "quantising: " + Human.percent((double) e.done() / e.total());
      case WRITING -> "writing" + ofBytes(e);
    };
  }

  private static String ofBytes(Event.Working e) {
    return e.total() == 0
        ? "…"
        : ": %s of %s".formatted(Human.bytes(e.done()), Human.bytes(e.total()));
  }

  private static String of(Event.Working e, String what) {
    return "%s of %s %s".formatted(Human.count(e.done()), Human.count(e.total()), what).strip();
  }
}
