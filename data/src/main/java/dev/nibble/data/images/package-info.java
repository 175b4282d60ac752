/**
 * Pictures beside text: decoding their files, and preparing them for a vision tower as CLIP's and
 * SigLIP's processors do.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.images;

import org.jspecify.annotations.NullMarked;
