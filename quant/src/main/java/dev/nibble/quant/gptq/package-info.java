/**
 * GPTQ: integers of few bits, rounded column by column so that later columns make up for the errors
 * of earlier ones, in the layout that AutoGPTQ, GPTQModel and transformers read.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.gptq;

import org.jspecify.annotations.NullMarked;
