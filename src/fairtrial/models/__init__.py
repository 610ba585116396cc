"""Networks that come from elsewhere and go elsewhere: Keras models in, trained models out, and what they say of pictures."""
