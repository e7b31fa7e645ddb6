"""Fine-tuning of any pretrained CTC recogniser: `everpaw train asr --model FOLDER`."""
