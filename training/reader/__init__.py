"""The reader of sentences: is a person in danger, and how does the speaker feel?"""
