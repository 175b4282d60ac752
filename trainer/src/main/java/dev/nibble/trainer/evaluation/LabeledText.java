package dev.nibble.trainer.evaluation;

/**
 * A text and the category it belongs to.
 *
 * @param text what is classified
 * @param label its category
 */
public record LabeledText(String text, String label) {}
