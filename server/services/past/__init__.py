"""A past written many days at a time: what day by day would leave behind, for a fraction of the questions.

A past comes in order. So whatever is asked of the database for each entry of a phone is known here already:
the row lock, the diary up to the day, the stage, the open episodes. What is judged is kept aside and
written many rows at a time. Wherever something has to be done (an alert, a move of a stage, a scale that is
asked for) what was kept is written first, and the same services do it that do it for a phone.
"""
