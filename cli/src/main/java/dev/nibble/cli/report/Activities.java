package dev.nibble.cli.report;

import dev.nibble.api.event.Event;
import dev.nibble.api.text.Human;
import dev.nibble.cli.terminal.Console;

/** Work that goes on, as live lines. */
public final class Activities {
  private Activities() {}

  /** Shows the event if it is one of work that goes on. */
  public static void show(Event event, Console console) {
    if (event instanceof Event.Working working) {
      console.live("  " + text(working));
    } else if (event instanceof Event.Warned(String text)) {
      console.entry("warning", text);
    }
  }

  private static String text(Event.Working e) {
    return switch (e.activity()) {
      case PLANNING_MEMORY -> "planning memory…";
      case READING_ROWS -> "reading rows…";
      case MEASURING_PRODUCTS -> "measuring matrix products…";
      case TIMING_LAYERS -> "trying the first layers…";
      case ASKING_QUESTIONS -> "asking %d questions…".formatted(e.total());
      case LOADING_TRAINED_MODEL -> "reading the model as it was trained";
      case MERGING -> "merging %s of %s".formatted(Human.bytes(e.done()), Human.bytes(e.total()));
      case COMPARING -> "comparing the merged model with base and adapter";
      case QUANTIZING -> "quantising " + Human.percent((double) e.done() / e.total());
      case WRITING -> "writing";
    };
  }
}
